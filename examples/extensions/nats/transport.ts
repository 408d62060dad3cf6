import { BrokerError, type Message } from "@enoki/enoki";
import type {
  ConsumeOptions,
  Consumer,
  Receiver,
  Topology,
  Transport,
  TransportOptions,
  TransportStatus,
} from "@enoki/enoki/hosting";
import { type NatsAddress, readAddress } from "./address.ts";
import { Caretaker } from "./caretaker.ts";
import { NatsConsumer } from "./consumer.ts";
import { Ledger } from "./ledger.ts";
import { Link } from "./link.ts";
import { Publisher } from "./publisher.ts";
import { countMessages, removeQueue } from "./queue.ts";
import { isTimed, queueKey, type QueueRecord } from "./records.ts";
import { abortable, pause, type Session } from "./session.ts";

/** Options of {@linkcode NatsTransport}. */
export interface NatsOptions extends TransportOptions {
  /** Number of servers that keep each message. @default {1} */
  readonly replicas?: number;
  /**
   * Milliseconds after which the server gives the deliveries of a process that died to another consumer.
   *
   * @default {10000}
   */
  readonly ackWait?: number;
  /** Milliseconds by which the wait for a lost server grows with each attempt. @default {1000} */
  readonly retryStep?: number;
  /** Longest wait between two attempts, in milliseconds. @default {10000} */
  readonly retryLimit?: number;
}

/** Milliseconds that closing may take. */
const CLOSE_LIMIT = 5_000;

/** Milliseconds between two attempts to resume a single consumer. */
const RESUME_PAUSE = 1_000;

/** Moves messages over NATS: JetStream keeps them, and the publisher routes them. */
export class NatsTransport implements Transport {
  readonly #address: NatsAddress;
  readonly #link: Link;
  readonly #publisher: Publisher;
  readonly #ledger = new Ledger();
  /** Consumers that nobody has cancelled. */
  readonly #consumers = new Set<NatsConsumer>();
  /** Consumers that may have deliveries without a verdict. */
  readonly #holding = new Set<NatsConsumer>();
  readonly #onStatus: (status: TransportStatus) => void;
  #caretaker: Caretaker | undefined;
  #closing: Promise<void> | undefined;

  /**
   * @param uri Such as `nats://user:password@host:4222/prefix`.
   * @throws {ConfigurationError} If `uri` is not one.
   */
  constructor(
    uri: string,
    { onStatus = () => {}, replicas = 1, ackWait = 10_000, retryStep = 1_000, retryLimit = 10_000 }:
      NatsOptions = {},
  ) {
    this.#address = readAddress(uri);
    this.#onStatus = (status) => {
      try {
        onStatus(status);
      } catch {
        // A listener that fails is not to stop the reconnect.
      }
    };
    this.#link = new Link(this.#address, {
      transport: crypto.randomUUID().replaceAll("-", ""),
      replicas,
      ackWait,
      retryStep,
      retryLimit,
      onStatus: this.#onStatus,
      held: (queue) => this.#held(queue),
      sent: (queue, expiration) => this.#caretaker?.sent(queue, expiration),
      attach: (session) => this.#attach(session),
      detach: () => this.#detach(),
    });
    this.#publisher = new Publisher(this.#link);
  }

  get broker(): string {
    return this.#address.broker;
  }

  async connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    await this.#link.connect(signal);
  }

  async declare(topology: Topology): Promise<void> {
    await this.#link.run("declare a topology", async (session) => {
      await this.#ledger.declare(session, topology);
      await this.#adopt(session, topology);
    });
  }

  async publish(message: Message, options?: Parameters<Transport["publish"]>[1]): Promise<void> {
    await this.#publisher.publish(message, options);
  }

  async consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer> {
    const consumer = new NatsConsumer(queue, receiver, options, {
      onEnded: (ended) => void this.#resume(ended),
      onCancelled: (cancelled) => this.#consumers.delete(cancelled),
      onLeft: ({ lease }) => {
        if (lease !== undefined) this.#caretaker?.lookIn(queue, lease);
      },
    });
    await this.#link.run(`consume queue "${queue}"`, (session) => consumer.attach(session));
    this.#consumers.add(consumer);
    this.#holding.add(consumer);
    return consumer;
  }

  async countMessages(queue: string): Promise<number | undefined> {
    return await this.#link.run(
      `count the messages of queue "${queue}"`,
      (session) => countMessages(session, queue),
    );
  }

  isConsuming(): boolean {
    return [...this.#consumers].every(({ attached }) => attached);
  }

  async deleteQueue(name: string): Promise<void> {
    this.#ledger.forgetQueue(name);
    for (const consumer of this.#consumers) if (consumer.queue === name) consumer.abandon();
    await this.#link.run(`delete queue "${name}"`, (session) => removeQueue(session, name));
  }

  close({ limit = CLOSE_LIMIT }: { readonly limit?: number } = {}): Promise<void> {
    return this.#closing ??= this.#close(limit);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.close();
  }

  #held(queue: string): number {
    let held = 0;
    for (const consumer of this.#holding) {
      if (consumer.queue === queue) held += consumer.held;
      if (consumer.cancelled && consumer.held === 0) this.#holding.delete(consumer);
    }
    return held;
  }

  /** Declares everything again and resumes all consumers. What the server refuses holds up nothing else. */
  async #attach(session: Session): Promise<void> {
    this.#caretaker = new Caretaker(session);
    for (const topology of this.#ledger.everything()) {
      await this.#attempt(() => this.#ledger.declareAgain(session, topology));
      await this.#attempt(() => this.#adopt(session, topology));
    }
    for (const consumer of this.#consumers) {
      await this.#attempt(() => consumer.attach(session), consumer.queue);
    }
  }

  async #attempt(work: () => Promise<void>, queue?: string): Promise<void> {
    try {
      await work();
    } catch (error) {
      const { message: reason } = error as Error;
      this.#onStatus({
        state: "refused",
        broker: this.broker,
        reason,
        ...(queue !== undefined && { queue }),
      });
    }
  }

  #detach(): void {
    for (const consumer of [...this.#consumers]) consumer.interrupted();
  }

  /** Looks after the queues of a topology that may end by themselves. */
  async #adopt({ registry }: Session, { queues = [] }: Topology): Promise<void> {
    for (const { name, autoDelete, exclusive, arguments: args = {} } of queues) {
      if (!autoDelete && !exclusive && Object.keys(args).length === 0) continue;
      const entry = await registry.get<QueueRecord>(queueKey(name));
      if (entry !== undefined && isTimed(entry.value)) this.#caretaker?.adopt(entry.value);
    }
  }

  /** Declares the queue of a consumer again that the server has ended, and resumes the consumer. */
  async #resume(consumer: NatsConsumer): Promise<void> {
    const { queue } = consumer;
    const { broker } = this;
    this.#onStatus({ state: "interrupted", broker, queue, reason: "its queue is gone" });
    consumer.interrupted();
    while (!consumer.cancelled && this.#closing === undefined) {
      const session = this.#link.current;
      if (session === undefined) return;
      try {
        await this.#ledger.declareAgain(session, this.#ledger.topologyOf(queue));
        await consumer.attach(session);
        return this.#onStatus({ state: "regained", broker, queue });
      } catch (error) {
        if (session.signal.aborted) return;
        const { message: reason } = error as Error;
        this.#onStatus({ state: "refused", broker, queue, reason, retryIn: RESUME_PAUSE });
        await pause(RESUME_PAUSE, session.signal).catch(() => {});
      }
    }
  }

  async #close(limit: number): Promise<void> {
    const refusal = new BrokerError(`Cannot use broker ${this.broker}: the transport is closed`);
    const time = new AbortController();
    const timer = setTimeout(() => time.abort(), limit);
    try {
      await this.#sayGoodbye(refusal, time.signal);
    } finally {
      clearTimeout(timer);
    }
  }

  async #sayGoodbye(refusal: BrokerError, time: AbortSignal): Promise<void> {
    const session = this.#link.current;
    await this.#publisher.close(refusal, session === undefined ? AbortSignal.abort() : time);
    this.#link.refuse(refusal);
    if (session === undefined) return;
    const farewell = this.#leave(session);
    farewell.catch(() => {});
    await abortable(Promise.race([farewell, session.connection.closed()]), time).catch(() => {});
    await session.close();
  }

  /** Gives back the deliveries without a verdict, and takes the consumers and exclusive queues away. */
  async #leave(session: Session): Promise<void> {
    await this.#caretaker?.finish();
    const consumers = [...this.#holding];
    await Promise.all(consumers.map((consumer) => consumer.cancel()));
    session.void();
    for (const reply of consumers.flatMap((consumer) => consumer.openReplies)) {
      session.send(reply, "-NAK");
    }
    await session.connection.flush();
    for (const queue of this.#ledger.exclusive) {
      await removeQueue(session, queue, ({ value }) => value.owner === session.id);
    }
  }
}
