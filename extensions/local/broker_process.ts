import { UnroutableError } from "../../runtime/message/errors.ts";
import type { QueuedMessage } from "../memory/backlog.ts";
import type { MemoryBroker } from "../memory/broker.ts";
import { Session } from "../memory/session.ts";
import type { Sink, Subscription } from "../memory/subscription.ts";
import { pause } from "../../runtime/waiting/abort.ts";
import { type FrameHeader, FrameWriter, readFrames } from "./frame.ts";
import { PROTOCOL, type Reply, type Request } from "./protocol.ts";
import { packFields, unpackFields } from "./opaque_fields.ts";

type Answered = Exclude<Request, readonly ["hello" | "settle", ...unknown[]]>;

/** The host waits this long after it could not accept a connection, in milliseconds. */
const ACCEPT_AGAIN = 100;

/** A host serves a broker of this process to the clients of a listener. */
export class BrokerProcess {
  readonly #listener: Deno.Listener;
  readonly #broker: MemoryBroker;
  readonly #guests = new Set<Guest>();
  readonly #accepting: Promise<void>;

  constructor(listener: Deno.Listener, broker: MemoryBroker) {
    this.#listener = listener;
    this.#broker = broker;
    this.#accepting = this.#accept();
  }

  /** Disconnects all clients and takes their open deliveries back. The caller must have closed the listener. */
  async close(): Promise<void> {
    await this.#accepting;
    await Promise.all([...this.#guests].map((guest) => guest.close()));
  }

  async #accept(): Promise<void> {
    for (;;) {
      try {
        for await (const stream of this.#listener) this.#welcome(stream);
        return;
      } catch {
        // The process may have no file descriptors left. The client waits at the socket until there are some again
        await pause(ACCEPT_AGAIN);
      }
    }
  }

  #welcome(stream: Deno.Conn): void {
    const guest = new Guest(stream, this.#broker);
    this.#guests.add(guest);
    guest.served.then(() => this.#guests.delete(guest));
  }
}

/** A guest is the host's side of one client. */
class Guest {
  /** This resolves when the client has gone and its open deliveries are back in their queues. */
  readonly served: Promise<void>;
  readonly #stream: Deno.Conn;
  readonly #writer: FrameWriter;
  readonly #session: Session;
  readonly #subscriptions = new Map<number, Subscription>();
  #closed = false;

  constructor(stream: Deno.Conn, broker: MemoryBroker) {
    this.#stream = stream;
    this.#writer = new FrameWriter(stream);
    this.#session = new Session(broker);
    this.served = this.#serve();
  }

  async close(): Promise<void> {
    await this.#writer.flushed();
    this.#disconnect();
    await this.served;
  }

  async #serve(): Promise<void> {
    try {
      await readFrames(this.#stream, (header, body) => this.#take(header, body));
    } catch {
      // A client that was killed or that sends no valid frames has gone, like one that says farewell
    }
    this.#disconnect();
    this.#session.close();
    await this.#writer.flushed();
  }

  #disconnect(): void {
    if (this.#closed) return;
    this.#closed = true;
    this.#stream.close();
  }

  #take(header: FrameHeader, body: Uint8Array): void {
    const request = header as unknown as Request;
    if (request[0] === "hello") return this.#reply(["welcome", PROTOCOL]);
    if (request[0] === "settle") return this.#subscriptions.get(request[1])?.settle(request[2], request[3]);
    try {
      const result = this.#perform(request, body);
      this.#reply(result === undefined ? ["done", request[1]] : ["done", request[1], result]);
    } catch (error) {
      this.#reply(refusal(request, error));
    }
  }

  #perform(request: Answered, body: Uint8Array): number | void {
    switch (request[0]) {
      case "declare":
        return this.#session.declare(request[2]);
      case "publish": {
        const [, , exchange, routingKey, properties, mandatory] = request;
        return this.#session.publish({
          exchange,
          routingKey,
          body,
          properties: unpackFields(properties),
          mandatory,
        });
      }
      case "consume": {
        const [, , feed, queue, options] = request;
        const sink: Sink = (_, tag, entry) => this.#deliver(feed, tag, entry);
        this.#subscriptions.set(feed, this.#session.subscribe(queue, sink, options));
        return;
      }
      case "prefetch":
        return this.#subscriptions.get(request[2])?.setPrefetch(request[3]);
      case "cancel":
        return this.#subscriptions.get(request[2])?.cancel();
      case "end":
        return this.#end(request[2]);
      case "count":
        return this.#session.countMessages(request[2]);
      case "delete":
        return this.#session.deleteQueue(request[2]);
      case "farewell":
        return this.#session.close();
    }
  }

  #deliver(feed: number, tag: number, { message, returns, offset }: QueuedMessage): void {
    const { exchange, routingKey, properties, body } = message;
    const delivery = [
      "delivery",
      feed,
      tag,
      exchange,
      routingKey,
      packFields(properties),
      returns > 0,
    ] as const;
    this.#reply(offset === undefined ? delivery : [...delivery, offset], body);
  }

  #end(feed: number): void {
    const subscription = this.#subscriptions.get(feed);
    subscription?.end();
    if (subscription?.settled) this.#subscriptions.delete(feed);
  }

  #reply(reply: Reply, body?: Uint8Array): void {
    this.#writer.write(reply, body);
  }
}

function refusal(request: Answered, error: unknown): Reply {
  if (error instanceof UnroutableError && request[0] === "publish") {
    return ["unroutable", request[1], request[2], request[3]];
  }
  return ["refused", request[1], error instanceof Error ? error.message : String(error)];
}
