import type {
  ConsumeOptions,
  Consumer,
  Message,
  Receiver,
  Topology,
  Transport,
  TransportPublishOptions,
  Verdict,
} from "../../runtime/message/transport.ts";

/** Runs the receiver of a delivery, and may watch it. */
export type WatchDelivery = (receive: () => Promise<Verdict>) => Promise<Verdict>;

/** Options of {@linkcode WatchedTransport}. */
export interface WatchedTransportOptions {
  /** Address of the broker in a form for people. */
  readonly broker: string;
  /** Opens the transport that does the work. */
  readonly open: (options?: { readonly signal?: AbortSignal }) => Promise<Transport>;
  readonly watch: WatchDelivery;
}

/** The transport of a test: it does what another transport does, and knows what is consumed and what is delayed. */
export class WatchedTransport implements Transport {
  readonly #options: WatchedTransportOptions;
  readonly #consumed = new Map<object, string>();
  readonly #delaying = new Set<string>();
  #transport: Transport | undefined;

  constructor(options: WatchedTransportOptions) {
    this.#options = options;
  }

  get broker(): string {
    return this.#transport?.broker ?? this.#options.broker;
  }

  /** Names of the queues that are consumed at present. */
  get consumed(): ReadonlySet<string> {
    return new Set(this.#consumed.values());
  }

  /** Names of the queues in which messages wait for their time, to go on to another queue. */
  get delaying(): ReadonlySet<string> {
    return this.#delaying;
  }

  async connect(options?: { readonly signal?: AbortSignal }): Promise<void> {
    this.#transport = await this.#options.open(options);
  }

  async declare(topology: Topology): Promise<void> {
    for (const { name, arguments: table = {} } of topology.queues ?? []) {
      if ("x-message-ttl" in table && "x-dead-letter-exchange" in table) this.#delaying.add(name);
    }
    await this.#opened.declare(topology);
  }

  publish(message: Message, options?: TransportPublishOptions): Promise<void> {
    return this.#opened.publish(message, options);
  }

  async consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer> {
    const { watch } = this.#options;
    const consumer = await this.#opened.consume(
      queue,
      (delivery) => watch(() => receiver(delivery)),
      options,
    );
    const key = {};
    this.#consumed.set(key, queue);
    const ended = async (end: Promise<void>) => {
      this.#consumed.delete(key);
      await end;
    };
    return {
      setPrefetch: (prefetch) => consumer.setPrefetch(prefetch),
      cancel: () => ended(consumer.cancel()),
      stop: () => ended(consumer.stop()),
      [Symbol.asyncDispose]: () => ended(consumer.stop()),
    };
  }

  async countMessages(queue: string): Promise<number | undefined> {
    return await this.#opened.countMessages(queue);
  }

  async countConsumers(queue: string): Promise<number | undefined> {
    return await this.#opened.countConsumers?.(queue);
  }

  isConsuming(): boolean {
    return this.#opened.isConsuming?.() ?? true;
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#opened.deleteQueue(name);
  }

  async close(options?: { readonly limit?: number }): Promise<void> {
    await this.#transport?.close(options);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  /** Gives the same connection to a second user, who cannot close it. */
  lend(): Transport {
    return new Proxy<Transport>(this, {
      get(transport, key) {
        if (key === "connect" || key === "close" || key === Symbol.asyncDispose) return async () => {};
        const value = Reflect.get(transport, key, transport);
        return typeof value === "function" ? value.bind(transport) : value;
      },
    });
  }

  get #opened(): Transport {
    if (this.#transport === undefined) {
      throw new TypeError("Cannot use the broker of a test before the start");
    }
    return this.#transport;
  }
}
