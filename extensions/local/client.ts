import type { ConsumeOptions, Delivery, Topology } from "../../runtime/message/transport.ts";
import { BrokerError, UnroutableError } from "../../runtime/message/errors.ts";
import type { Feed, Link, Taker } from "../memory/link.ts";
import type { SealedMessage } from "../memory/sealed_message.ts";
import { type FrameHeader, FrameWriter, readFrames } from "./frame.ts";
import { PROTOCOL, type Reply, type Request } from "./protocol.ts";
import { packFields, unpackFields } from "./opaque_fields.ts";

interface Pending {
  readonly resolve: (result: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A client link leads to a broker that another transport hosts. It is lost when that host goes. */
export class ClientLink implements Link {
  /**
   * This resolves with true when the host has answered the greeting, and with false when the host has gone before.
   * It rejects if the host speaks another protocol.
   */
  readonly welcomed: Promise<boolean>;
  readonly #stream: Deno.Conn;
  readonly #writer: FrameWriter;
  readonly #onLost: (reason: string) => void;
  readonly #welcome = Promise.withResolvers<boolean>();
  readonly #pending = new Map<number, Pending>();
  readonly #feeds = new Map<number, (tag: number, delivery: Delivery) => void>();
  readonly #reading: Promise<void>;
  readonly #ending = new AbortController();
  #count = 0;
  #lost: string | undefined;
  /** Says whether the owner wants to hear of a loss. */
  #inUse = false;

  /** @param onLost The link calls this once when it is lost, unless we closed it first or no host greeted it. */
  constructor(stream: Deno.Conn, onLost: (reason: string) => void) {
    this.#stream = stream;
    this.#onLost = onLost;
    this.#writer = new FrameWriter(stream);
    this.welcomed = this.#welcome.promise;
    this.welcomed.catch(() => {});
    this.#reading = this.#read();
    this.#send(["hello", PROTOCOL]);
  }

  get lost(): boolean {
    return this.#lost !== undefined;
  }

  async declare(topology: Topology): Promise<void> {
    await this.#ask((id) => ["declare", id, topology]);
  }

  async publish({ exchange, routingKey, body, properties, mandatory }: SealedMessage): Promise<void> {
    await this.#ask((id) => ["publish", id, exchange, routingKey, packFields(properties), mandatory], body);
  }

  async consume(queue: string, taker: Taker, options: ConsumeOptions): Promise<Feed> {
    const number = ++this.#count;
    const feed: Feed = {
      settle: (tag, verdict) => this.#send(["settle", number, tag, verdict]),
      setPrefetch: (prefetch) => this.#tell((id) => ["prefetch", id, number, prefetch]),
      cancel: () => this.#tell((id) => ["cancel", id, number]),
      end: async () => {
        await this.#tell((id) => ["end", id, number]);
        this.#feeds.delete(number);
      },
    };
    // The host sends deliveries before its answer
    this.#feeds.set(number, (tag, delivery) => taker(feed, tag, delivery));
    try {
      await this.#ask((id) => ["consume", id, number, queue, options]);
    } catch (error) {
      this.#feeds.delete(number);
      throw error;
    }
    return feed;
  }

  countMessages(queue: string): Promise<number | undefined> {
    return this.#ask((id) => ["count", id, queue]);
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#ask((id) => ["delete", id, name]);
  }

  async close(): Promise<void> {
    const greeted = this.#inUse;
    this.#inUse = false;
    // The host answers when open deliveries are back in their queues, and a host that has gone needs no farewell
    if (greeted) await this.#ask((id) => ["farewell", id]).catch(() => {});
    this.#end("this side has closed it");
    await this.#reading;
  }

  /** Asks the host to change a feed. On a lost link there is nothing to change any more. */
  async #tell(request: (id: number) => Request): Promise<void> {
    await this.#ask(request).catch(() => {});
  }

  /** Asks the host, and resolves with its answer, which is a number if the question was for one. */
  #ask(request: (id: number) => Request, body?: Uint8Array): Promise<number | undefined> {
    if (this.#lost !== undefined) return Promise.reject(lostError(this.#lost));
    const id = ++this.#count;
    return new Promise((resolve, reject) => {
      this.#pending.set(id, { resolve, reject });
      this.#send(request(id), body);
    });
  }

  #send(request: Request, body?: Uint8Array): void {
    if (this.#lost === undefined) this.#writer.write(request, body);
  }

  async #read(): Promise<void> {
    let reason = "the host of the broker has gone, and so have the messages that waited there";
    try {
      await readFrames(this.#stream, (header, body) => this.#take(header, body));
    } catch (error) {
      if (!(error instanceof Deno.errors.ConnectionReset)) {
        reason = error instanceof Error ? error.message : String(error);
      }
    }
    this.#end(reason);
  }

  #take(header: FrameHeader, body: Uint8Array): void {
    const reply = header as unknown as Reply;
    switch (reply[0]) {
      case "delivery": {
        const [, feed, tag, exchange, routingKey, properties, redelivered, offset] = reply;
        const { signal } = this.#ending;
        const delivery = {
          exchange,
          routingKey,
          body,
          properties: unpackFields(properties),
          redelivered,
          signal,
        };
        return this.#feeds.get(feed)?.(tag, offset === undefined ? delivery : { ...delivery, offset });
      }
      case "done":
        return this.#settled(reply[1])?.resolve(reply[2]);
      case "unroutable":
        return this.#settled(reply[1])?.reject(new UnroutableError(reply[2], reply[3]));
      case "refused":
        return this.#settled(reply[1])?.reject(new BrokerError(reply[2]));
      case "welcome":
        if (reply[1] === PROTOCOL) {
          this.#inUse = true;
          return this.#welcome.resolve(true);
        }
        return this.#welcome.reject(
          new BrokerError(
            `Cannot use the local broker: its host speaks ${
              reply[1]
            }, but this process speaks ${PROTOCOL}. Run the same version of Enoki in both`,
          ),
        );
    }
  }

  #settled(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    this.#pending.delete(id);
    return pending;
  }

  #end(reason: string): void {
    if (this.#lost !== undefined) return;
    this.#lost = reason;
    this.#ending.abort(lostError(reason));
    this.#stream.close();
    this.#welcome.resolve(false);
    if (this.#inUse) this.#onLost(reason);
    for (const { reject } of this.#pending.values()) reject(lostError(reason));
    this.#pending.clear();
  }
}

function lostError(reason: string): BrokerError {
  return new BrokerError(`Cannot use the connection to the local broker: ${reason}`);
}
