import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import { LONGEST_TIMER, within } from "../../runtime/waiting/abort.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import type {
  ConsumeOptions,
  Consumer,
  Message,
  Receiver,
  Topology,
  Transport,
  TransportOptions,
  TransportPublishOptions,
  TransportStatus,
} from "../../runtime/message/transport.ts";
import { Connection } from "./connection.ts";
import { QueueConsumer } from "./consumer.ts";
import type { QueueConsumerOptions } from "./consumer_options.ts";
import type { Link } from "./link.ts";
import type { LoginMethod, TlsOptions } from "./link_options.ts";
import { OverdueDeliveries } from "./overdue.ts";
import { Publishers } from "./publishers.ts";
import type { DefaultQueueType } from "./queue_type.ts";
import { reasonOf, refusal } from "./refusal.ts";
import { RememberedTopology } from "./topology.ts";
import { Upkeep } from "./upkeep.ts";
import { parseBrokerUris } from "./uri.ts";

/** Options of {@linkcode amqp}. */
export interface AmqpOptions extends TransportOptions {
  /**
   * Seconds between heartbeats. The client gives up a broker that is silent for two of these intervals. 0
   * turns heartbeats off. @default {60}
   */
  readonly heartbeat?: Duration;
  /** Milliseconds that connecting and logging in may take. @default {5000} */
  readonly connectTimeout?: Duration;
  /** How the client logs in. @default {"PLAIN"} */
  readonly login?: LoginMethod;
  /** Largest number of channels, each of which a consumer needs. 0 leaves it to the broker. @default {0} */
  readonly channelMax?: number;
  /** Largest number of bytes of a frame. 0 leaves it to the broker. @default {131072} */
  readonly frameMax?: number;
  /** Language of the broker's messages. @default {"en_US"} */
  readonly locale?: string;
  /** TLS options for `amqps://`. */
  readonly tls?: TlsOptions;
  /**
   * Whether the broker confirms each published message. Without confirms, a publish resolves when the message
   * is on its way, and the message may be lost, even a mandatory message that no queue takes. @default {true}
   */
  readonly confirms?: boolean;
  /**
   * Milliseconds before the second attempt to reconnect. The first attempt has no wait. @default {retryStep}
   */
  readonly retryStart?: Duration;
  /** Milliseconds by which the wait before each further attempt grows. @default {2000} */
  readonly retryStep?: Duration;
  /** Milliseconds that the wait between attempts never exceeds. @default {30000} */
  readonly retryLimit?: Duration;
  /**
   * Milliseconds between two checks that every consumer consumes and that its queue is bound: somebody may
   * have deleted an exchange, which the broker tells nobody. 0 turns the checks off. @default {15000}
   */
  readonly checkInterval?: Duration;
  /**
   * Milliseconds that the broker waits for a verdict before it takes the message back: its `consumer_timeout`.
   * A consumer that may take longer says so to a broker that lets it (RabbitMQ 3.12), and is reported
   * otherwise. 0 stands for a broker without a limit. @default {1800000}
   */
  readonly consumerTimeout?: Duration;
  /**
   * Milliseconds for which the outcome of a handler is remembered that took longer than the broker waits, until
   * the broker offers its message again. @default {86400000}
   */
  readonly outcomeMemory?: Duration;
  /**
   * Type of the durable queues that say nothing about their type. With `quorum`, such a queue becomes a quorum
   * queue, unless it cannot be one: if it is exclusive, deletes itself, or has priorities. With `classic`, no type
   * is declared, and the broker decides. @default {"classic"}
   */
  readonly queueType?: DefaultQueueType;
  /** Milliseconds within which {@linkcode Transport.close} ends, whatever the broker does. @default {5000} */
  readonly flushTimeout?: Duration;
  /** Properties of this client on the broker's management pages. @default {{ product: "enoki" }} */
  readonly clientProperties?: Readonly<Record<string, string>>;
}

/**
 * Milliseconds that the broker waits longer for a verdict than a handler may take: the call may wait for a
 * thread, and its thread may have to be ended.
 */
const PATIENCE = 300_000;

/** What counts where neither the program nor the configuration says otherwise. */
export const DEFAULTS = {
  heartbeat: 60,
  login: "PLAIN",
  retryStart: 2_000,
  retryStep: 2_000,
  retryLimit: 30_000,
  checkInterval: 15_000,
  consumerTimeout: 1_800_000,
  outcomeMemory: 86_400_000,
  queueType: "classic",
} as const satisfies AmqpOptions;

/** RabbitMQ, or any other AMQP 0-9-1 broker, behind the {@linkcode Transport} interface. */
export class AmqpTransport implements Transport {
  readonly broker: string;
  readonly #flushTimeout: number;
  readonly #checkInterval: number;
  readonly #consumerTimeout: number;
  readonly #onStatus: (status: TransportStatus) => void;
  readonly #overdue: OverdueDeliveries;
  #checking: ReturnType<typeof setInterval> | undefined;
  readonly #connection: Connection;
  readonly #publishers: Publishers;
  readonly #topology: RememberedTopology;
  readonly #upkeep: Upkeep;
  /** Consumers that may have a channel, including cancelled consumers. */
  readonly #consumers = new Set<QueueConsumer>();
  #closed: Promise<void> | undefined;

  constructor(uri: string, options: AmqpOptions) {
    const {
      heartbeat = DEFAULTS.heartbeat,
      connectTimeout = 5_000,
      login = DEFAULTS.login,
      channelMax = 0,
      frameMax = 131_072,
      locale = "en_US",
      tls = {},
      confirms = true,
      retryStep = DEFAULTS.retryStep,
      retryStart = retryStep,
      retryLimit = DEFAULTS.retryLimit,
      checkInterval = DEFAULTS.checkInterval,
      consumerTimeout = DEFAULTS.consumerTimeout,
      outcomeMemory = DEFAULTS.outcomeMemory,
      queueType = DEFAULTS.queueType,
      flushTimeout = 5_000,
      clientProperties = {},
      onStatus = () => {},
    } = options;
    for (const [name, value] of Object.entries({ channelMax, frameMax })) {
      if (!(value >= 0)) throw new RangeError(`Cannot use ${name} ${value}: it must be 0 or more`);
    }
    const times = requireTimes({
      connectTimeout,
      retryStart,
      retryStep,
      retryLimit,
      checkInterval,
      consumerTimeout,
      outcomeMemory,
      flushTimeout,
    });
    const addresses = parseBrokerUris(uri);
    this.broker = addresses.map(({ broker }) => broker).join(";");
    this.#flushTimeout = times.flushTimeout;
    this.#checkInterval = times.checkInterval;
    this.#consumerTimeout = times.consumerTimeout;
    this.#onStatus = onStatus;
    this.#overdue = new OverdueDeliveries(times.outcomeMemory);
    this.#topology = new RememberedTopology(queueType);
    this.#publishers = new Publishers({
      confirms,
      recover: (message, isExchangeGone) => this.#recover(message, isExchangeGone),
    });
    this.#connection = new Connection(addresses, {
      heartbeat: requireTimes({ heartbeat }, 1_000).heartbeat / 1_000,
      connectTimeout: times.connectTimeout,
      login,
      channelMax,
      frameMax,
      locale,
      tls,
      retryStart: times.retryStart,
      retryStep: times.retryStep,
      retryLimit: times.retryLimit,
      clientProperties: { product: "enoki", ...clientProperties },
      onStatus,
      restore: (link) => this.#restore(link),
      isolate: () => this.#publishers.pause(),
    });
    this.#upkeep = new Upkeep({
      broker: this.broker,
      topology: this.#topology,
      onStatus,
      backoff: (attempt) => this.#connection.backoff(attempt),
    });
  }

  get software(): string | undefined {
    return this.#connection.link?.software;
  }

  async connect({ signal }: { readonly signal?: AbortSignal } = {}): Promise<void> {
    signal?.throwIfAborted();
    await this.#connection.connect(signal);
    if (this.#closed !== undefined || this.#checkInterval === 0) return;
    this.#checking ??= setInterval(
      () => void this.#upkeep.inspect(this.#connection.link),
      Math.min(this.#checkInterval, LONGEST_TIMER),
    );
  }

  async declare(topology: Topology): Promise<void> {
    await this.#connection.run((link) => this.#topology.declare(link, topology));
  }

  // This method is not async, because it is the hot path: it returns the publisher's own promise.
  publish(message: Message, options?: TransportPublishOptions): Promise<void> {
    try {
      this.#connection.assertUsable();
      if (options?.cancellation === undefined) options?.signal?.throwIfAborted();
    } catch (error) {
      return Promise.reject(error);
    }
    return this.#publishers.publish(message, options);
  }

  async consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer> {
    const consumer = new QueueConsumer(queue, receiver, this.#patient(options), this.#overdue, {
      onInterrupted: (consumer, link, reason) => this.#upkeep.mend(consumer, link, reason),
      onCancelled: (consumer) => this.#upkeep.delete(consumer),
      onClosed: (consumer) => this.#consumers.delete(consumer),
    });
    this.#upkeep.add(consumer);
    this.#consumers.add(consumer);
    await this.#connection.run((link) => consumer.resume(link)).catch((error) => {
      consumer.abandon();
      this.#consumers.delete(consumer);
      throw refusal(`consume queue "${queue}"`, error);
    });
    this.#reportLimit(queue, options.longest);
    return consumer;
  }

  /** Lets the broker wait as long as the receiver may take, if its own limit is lower. */
  #patient({ longest, ...options }: ConsumeOptions): QueueConsumerOptions {
    const limit = this.#consumerTimeout;
    if (longest === undefined || limit === 0 || longest + PATIENCE <= limit) return options;
    return { ...options, patience: Math.ceil(longest) + PATIENCE };
  }

  #reportLimit(queue: string, longest = 0): void {
    const limit = this.#consumerTimeout;
    if (limit === 0 || longest <= limit || this.#connection.link?.heedsConsumerTimeout) return;
    this.#onStatus({ state: "limited", broker: this.broker, queue, longest, limit });
  }

  async countMessages(queue: string): Promise<number | undefined> {
    return (await this.#counts("count messages of", queue))?.messageCount;
  }

  async countConsumers(queue: string): Promise<number | undefined> {
    return (await this.#counts("count consumers of", queue))?.consumerCount;
  }

  isConsuming(): boolean {
    return this.#upkeep.check(this.#connection.link);
  }

  async deleteQueue(name: string): Promise<void> {
    await this.#connection.run(async (link) => {
      this.#topology.forgetQueue(name);
      this.#upkeep.abandon(name);
      await link.administer((channel) => channel.deleteQueue(name));
    }).catch((error) => {
      throw refusal(`delete queue "${name}"`, error);
    });
  }

  close({ limit = this.#flushTimeout }: { readonly limit?: number } = {}): Promise<void> {
    return this.#closed ??= this.#close(Math.min(limit, this.#flushTimeout));
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #close(limit: number): Promise<void> {
    clearInterval(this.#checking);
    const { link } = this.#connection;
    const end = performance.now() + limit;
    const left = () => Math.max(0, end - performance.now());
    const flushed = async (work: Promise<unknown>) => {
      if (link !== undefined) await within(left(), Promise.race([work, link.lost, link.blocked]));
    };
    await flushed(this.#publishers.settled());
    await flushed(Promise.all([...this.#consumers].map((consumer) => consumer.close())));
    await this.#connection.close(left());
    this.#publishers.close(
      new BrokerError(
        `Cannot publish: the transport was closed before broker ${this.broker} confirmed the message`,
      ),
    );
  }

  /** Brings a new link into use. Consumers that cannot be resumed yet hold up nothing else. */
  async #restore(link: Link): Promise<void> {
    const missing = await this.#upkeep.restore(link);
    await this.#publishers.attach(link);
    this.#upkeep.retry(link, missing);
  }

  /** Gives what the broker counts in a queue, or undefined if there is no such queue. */
  async #counts(
    action: string,
    queue: string,
  ): Promise<{ readonly messageCount: number; readonly consumerCount: number } | undefined> {
    return await this.#connection.run((link) => link.administer((channel) => channel.checkQueue(queue)))
      .catch((error) => {
        if (/NOT_FOUND/.test(reasonOf(error))) return undefined;
        throw refusal(`${action} queue "${queue}"`, error);
      });
  }

  /** Declares what a message has missed again, if it was declared here; else gives undefined. */
  #recover(message: Message, isExchangeGone: boolean): Promise<void> | undefined {
    const queues = this.#topology.routesOf(message, isExchangeGone, (queue) => this.#upkeep.has(queue));
    if (queues === undefined) return undefined;
    return this.#connection.run(async (link) => {
      await this.#topology.restoreExchange(link, message.exchange);
      for (const queue of new Set(queues)) await this.#topology.restoreQueue(link, queue);
    });
  }
}

/** Gives the milliseconds of times by their names. A bare number counts `unit` milliseconds. */
function requireTimes<Name extends string>(
  given: Readonly<Record<Name, Duration>>,
  unit = 1,
): Readonly<Record<Name, number>> {
  const times = Object.entries<Duration>(given).map(([name, time]) => {
    const milliseconds = millisecondsOf(time, unit);
    if (milliseconds >= 0) return [name, milliseconds] as const;
    throw new RangeError(`Cannot use ${name} ${shownDuration(time)}: it must be 0 or more, ${OR_TEXT}`);
  });
  return Object.fromEntries(times) as Record<Name, number>;
}
