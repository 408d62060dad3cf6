import type { ConsumeOptions, Topology, Verdict } from "../../runtime/message/transport.ts";
import { BrokerError, UnroutableError } from "../../runtime/message/errors.ts";
import type { Feed, Link, Taker } from "../memory/link.ts";
import type { SealedMessage } from "../memory/sealed_message.ts";
import { type FrameHeader, FrameWriter, readFrames } from "./frame.ts";
import { PROTOCOL, type Reply, type Request } from "./protocol.ts";

interface Pending {
  readonly resolve: (result: number | undefined) => void;
  readonly reject: (error: unknown) => void;
}

/** A link to the broker that another transport hosts, lost when the host goes. */
export class ClientLink implements Link {
  /** Whether the host answers the greeting; it does not if it goes first. Rejects if it speaks otherwise. */
  readonly welcomed: Promise<boolean>;
  readonly #stream: Deno.Conn;
  readonly #writer: FrameWriter;
  readonly #onLost: (reason: string) => void;
  readonly #welcome = Promise.withResolvers<boolean>();
  readonly #pending = new Map<number, Pending>();
  readonly #feeds = new Map<number, ClientFeed>();
  readonly #reading: Promise<void>;
  readonly #ending = new AbortController();
  #count = 0;
  #lost: string | undefined;
  /** Whether a loss from now on is news to the owner. */
  #inUse = false;

  /** @param onLost Called once, unless the link is closed first or never was welcomed */
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
    await this.#ask((id) => ["publish", id, exchange, routingKey, properties, mandatory], body);
  }

  async consume(queue: string, taker: Taker, options: ConsumeOptions): Promise<Feed> {
    const number = ++this.#count;
    const feed = new ClientFeed(taker, {
      ask: async (request) => {
        if (this.#lost === undefined) await this.#ask((id) => request(id, number));
      },
      settle: (tag, verdict) => this.#send(["settle", number, tag, verdict]),
      forget: () => this.#feeds.delete(number),
    });
    // Deliveries come before the answer
    this.#feeds.set(number, feed);
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
    // The answer says that open deliveries are back in their queues; a host that has gone needs no farewell
    if (greeted) await this.#ask((id) => ["farewell", id]).catch(() => {});
    this.#end("it was closed");
    await this.#reading;
  }

  /** Resolves with what the host answers: a number, if it was asked for one. */
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
    let reason = "its host has gone, and with it the messages that waited there";
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
        const [, feed, tag, exchange, routingKey, properties, redelivered] = reply;
        const { signal } = this.#ending;
        return this.#feeds.get(feed)?.take(tag, {
          exchange,
          routingKey,
          body,
          properties,
          redelivered,
          signal,
        });
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
            }, not ${PROTOCOL}. Run the same version of both`,
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

/** What a feed may do with its link. */
interface FeedLine {
  ask(request: (id: number, feed: number) => Request): Promise<void>;
  settle(tag: number, verdict: Verdict): void;
  forget(): void;
}

/** A consumer over a link; on a lost link all it is asked is done already. */
class ClientFeed implements Feed {
  readonly #taker: Taker;
  readonly #line: FeedLine;

  constructor(taker: Taker, line: FeedLine) {
    this.#taker = taker;
    this.#line = line;
  }

  take(tag: number, delivery: Parameters<Taker>[2]): void {
    this.#taker(this, tag, delivery);
  }

  settle(tag: number, verdict: Verdict): void {
    this.#line.settle(tag, verdict);
  }

  async setPrefetch(prefetch: number): Promise<void> {
    await this.#line.ask((id, feed) => ["prefetch", id, feed, prefetch]).catch(() => {});
  }

  async cancel(): Promise<void> {
    await this.#line.ask((id, feed) => ["cancel", id, feed]).catch(() => {});
  }

  async end(): Promise<void> {
    await this.#line.ask((id, feed) => ["end", id, feed]).catch(() => {});
    this.#line.forget();
  }
}

function lostError(reason: string): BrokerError {
  return new BrokerError(`Cannot use the connection to the local broker: ${reason}`);
}
