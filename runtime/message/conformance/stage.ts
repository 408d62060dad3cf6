import assert from "node:assert/strict";
import type {
  ExchangeType,
  FieldTable,
  Message,
  QueueDeclaration,
  Transport,
  TransportOptions,
  TransportStatus,
} from "../transport.ts";
import { UnroutableError } from "../errors.ts";
import { Inbox } from "./inbox.ts";

/** A feature that a transport may lack. */
export type TransportFeature =
  /** Exchanges of type `headers`. */
  | "headers exchanges"
  /** Bindings to a topic exchange with `*` and `#` in their pattern. */
  | "topic patterns"
  /** Queues that only one connection may use. Nothing of Enoki's own declares such a queue. */
  | "exclusive queues"
  /** Consumers that allow no other on their queue, with which timers elect one instance. */
  | "exclusive consumers"
  /** Queues that go with their last consumer, which broadcast events use. */
  | "auto-delete queues"
  /** Queues that go when nobody uses them, by `x-expires`. */
  | "queue expiry"
  /** Messages that expire, by `x-message-ttl` or `expiration`. Delayed retries need it. */
  | "message expiry"
  /** Queues with `x-max-length`. */
  | "length limits"
  /** Queues with `x-max-priority`. */
  | "priorities"
  /** Queues with `x-dead-letter-exchange`. Delayed retries need it. */
  | "dead-letter exchanges"
  /** Bodies of 3 MiB. Nothing of Enoki's own sends such a body unless a caller passes one. */
  | "large bodies"
  /** Queues with `x-queue-type` as `stream`, and consumers with an `offset`. */
  | "streams"
  /** A message that is requeued goes back to its place instead of to the end. */
  | "requeueing in place";

/** A broker that a conformance test talks to. */
export interface BrokerUnderTest extends AsyncDisposable {
  /** Opens one more connected transport to this same broker; the test closes it. */
  transport(options?: TransportOptions): Promise<Transport>;
  /**
   * Cuts the connection of every open transport, which may cost the broker its memory; resolves when it is cut.
   * Must leave it possible to connect again.
   */
  sever?(): Promise<void>;
}

/** Registers a law and its proof. */
export type RegisterLaw = (text: string, proof: (stage: Stage) => Promise<void>) => void;

/** Registers a law that every transport keeps, or gives what registers a law of some features. */
export type Law = RegisterLaw & {
  readonly needing: (...features: readonly TransportFeature[]) => RegisterLaw;
};

/** Where one law is shown: names of its own, transports that are closed, queues and exchanges that are removed. */
export class Stage implements AsyncDisposable {
  readonly broker: BrokerUnderTest;
  readonly #prefix = `enoki-conformance-${crypto.randomUUID().slice(0, 8)}`;
  readonly #transports: Transport[] = [];
  readonly #queues = new Set<string>();
  readonly #exchanges = new Set<string>();
  #count = 0;

  constructor(broker: BrokerUnderTest) {
    this.broker = broker;
  }

  /** A connected transport that is closed with the stage. */
  async transport(options?: TransportOptions): Promise<Transport> {
    const transport = await this.broker.transport(options);
    this.#transports.push(transport);
    return transport;
  }

  /** Cuts the connection of every open transport. */
  async sever(): Promise<void> {
    assert.ok(this.broker.sever, "capability recovery needs BrokerUnderTest.sever");
    await this.broker.sever();
  }

  /** A name that nobody else uses. */
  name(kind: string): string {
    return `${this.#prefix}-${kind}-${++this.#count}`;
  }

  /** A queue name that is removed with the stage. */
  queueName(): string {
    const name = this.name("queue");
    this.#queues.add(name);
    return name;
  }

  /** Declares a queue of a name of its own. */
  async queue(transport: Transport, declaration: Omit<QueueDeclaration, "name"> = {}): Promise<string> {
    const name = this.queueName();
    await transport.declare({ queues: [{ name, ...declaration }] });
    return name;
  }

  /** An exchange name that is removed with the stage, provided that it is declared `autoDelete`. */
  exchangeName(): string {
    const name = this.name("exchange");
    this.#exchanges.add(name);
    return name;
  }

  /** Declares an exchange that goes with its last binding, which the stage sees to. */
  async exchange(transport: Transport, type: ExchangeType): Promise<string> {
    const name = this.exchangeName();
    await transport.declare({ exchanges: [{ name, type, autoDelete: true }] });
    return name;
  }

  /** Declares a queue bound to `exchange`. */
  async boundQueue(
    transport: Transport,
    exchange: string,
    routingKey: string,
    args?: FieldTable,
  ): Promise<string> {
    const queue = await this.queue(transport);
    const binding = { queue, exchange, routingKey };
    await transport.declare({ bindings: [args === undefined ? binding : { ...binding, arguments: args }] });
    return queue;
  }

  /** Publishes text to a queue by its name. */
  async send(transport: Transport, queue: string, ...texts: string[]): Promise<void> {
    await Promise.all(texts.map((text) => transport.publish(letter(queue, text))));
  }

  /** Consumes `queue` into an inbox where each delivery waits for the test's verdict. */
  async inbox(transport: Transport, queue: string, prefetch = 10): Promise<Inbox> {
    const inbox = new Inbox();
    inbox.consumer = await transport.consume(queue, inbox.receiver, { prefetch });
    return inbox;
  }

  /** Resolves once the default exchange knows no such queue. */
  async gone(transport: Transport, queue: string): Promise<void> {
    const deadline = Date.now() + 10_000;
    while (Date.now() < deadline) {
      try {
        await transport.publish({ ...letter(queue, "are you there?"), mandatory: true });
      } catch (error) {
        if (error instanceof UnroutableError) return;
        throw error;
      }
      await new Promise((resolve) => setTimeout(resolve, 20));
    }
    throw new Error(`Cannot see queue "${queue}" go: it is still there after 10 s`);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#transports.map((transport) => transport.close()));
    const sweeper = await this.broker.transport();
    try {
      for (const queue of this.#queues) await sweeper.deleteQueue(queue);
      for (const exchange of this.#exchanges) await sweep(sweeper, exchange, this.name("sweep"));
    } finally {
      await sweeper.close();
    }
  }
}

/** A transport whose return after a loss can be awaited. */
export async function watched(
  stage: Stage,
): Promise<{ transport: Transport; statuses: TransportStatus[]; recovered: Promise<void> }> {
  const statuses: TransportStatus[] = [];
  const { promise: recovered, resolve } = Promise.withResolvers<void>();
  const transport = await stage.transport({
    onStatus(status) {
      statuses.push(status);
      if (status.state === "connected" && statuses.at(-2)?.state === "lost") resolve();
    },
  });
  return { transport, statuses, recovered };
}

/** A message to a queue by its name, through the default exchange. */
export function letter(queue: string, text: string): Message {
  return { exchange: "", routingKey: queue, body: text, properties: { contentType: "text/plain" } };
}

/** Removes an `autoDelete` exchange by giving it a binding and taking it away. */
async function sweep(transport: Transport, exchange: string, queue: string): Promise<void> {
  await transport.declare({ queues: [{ name: queue }] });
  try {
    await transport.declare({ bindings: [{ queue, exchange, routingKey: "sweep" }] });
  } catch {
    // The exchange went with its last binding already
  }
  await transport.deleteQueue(queue);
}
