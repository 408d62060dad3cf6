/**
 * The narrow waist between Enoki and a broker: the AMQP 0-9-1 model, small.
 *
 * RPC, events and messaging are written once above these types; `memory:`, `local:` and `amqp:` each
 * implement them below, and one conformance suite (`tests/conformance/`) runs against all of them and
 * against any transport a user writes.
 */

/** How an exchange chooses queues for a message (AMQP 0-9-1, section 3.1.3). */
export type ExchangeType = "direct" | "topic" | "fanout" | "headers";

/** A value that a header table or an argument table can carry. Integers keep being integers on the wire. */
export type FieldValue =
  | null
  | boolean
  | number
  | string
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue };

/** A header or argument table. */
export type FieldTable = Readonly<Record<string, FieldValue>>;

/** An exchange to be declared. */
export interface ExchangeDeclaration {
  readonly name: string;
  readonly type: ExchangeType;
  /** @default {true} */
  readonly durable?: boolean;
  /** Deleted when its last binding goes. @default {false} */
  readonly autoDelete?: boolean;
  readonly arguments?: FieldTable;
}

/** A queue to be declared. */
export interface QueueDeclaration {
  readonly name: string;
  /** @default {true} */
  readonly durable?: boolean;
  /** Only this connection may use it, and it goes with the connection. @default {false} */
  readonly exclusive?: boolean;
  /** Deleted when its last consumer goes. @default {false} */
  readonly autoDelete?: boolean;
  /** Such as `x-expires`, `x-message-ttl`, `x-max-length`, `x-dead-letter-exchange`. */
  readonly arguments?: FieldTable;
}

/** A route from an exchange to a queue. */
export interface BindingDeclaration {
  readonly queue: string;
  readonly exchange: string;
  /** A topic pattern where the exchange is of type `topic`. */
  readonly routingKey: string;
  readonly arguments?: FieldTable;
}

/** Exchanges, queues and bindings that belong together; declared in that order. */
export interface Topology {
  readonly exchanges?: readonly ExchangeDeclaration[];
  readonly queues?: readonly QueueDeclaration[];
  readonly bindings?: readonly BindingDeclaration[];
}

/** The AMQP basic properties, in their usual camel case. */
export interface MessageProperties {
  readonly contentType?: string;
  readonly contentEncoding?: string;
  readonly headers?: FieldTable;
  /** 2 persists the message in a durable queue, 1 does not. */
  readonly deliveryMode?: 1 | 2;
  readonly priority?: number;
  readonly correlationId?: string;
  readonly replyTo?: string;
  /** Milliseconds as text, after which a waiting message is dropped or dead-lettered. */
  readonly expiration?: string;
  readonly messageId?: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
  readonly type?: string;
  readonly userId?: string;
  readonly appId?: string;
}

/** A message on its way out. */
export interface Message {
  /** The empty string is the default exchange, which routes by queue name. */
  readonly exchange: string;
  readonly routingKey: string;
  /** Text travels as UTF-8. */
  readonly body: Uint8Array | string;
  readonly properties: MessageProperties;
  /** Whether {@linkcode Transport.publish} fails when no queue takes the message. @default {false} */
  readonly mandatory?: boolean;
}

/** A message that arrived and waits for a verdict. */
export interface Delivery {
  readonly exchange: string;
  readonly routingKey: string;
  /** Valid until the verdict; copy what must live longer. */
  readonly body: Uint8Array;
  readonly properties: MessageProperties;
  /** Whether the broker has offered this message before. */
  readonly redelivered: boolean;
  /**
   * Aborts, with a {@linkcode BrokerError}, when a verdict counts no more: with its connection, the message has gone
   * back to its queue.
   */
  readonly signal: AbortSignal;
}

/**
 * What becomes of a delivery: taken (`ack`), offered again (`requeue`), or dropped or dead-lettered
 * (`reject`).
 */
export type Verdict = "ack" | "requeue" | "reject";

/**
 * Decides the fate of a delivery.
 *
 * Must not throw: a receiver that rejects anyway has its message requeued once and rejected when it was a
 * redelivery.
 */
export type Receiver = (delivery: Delivery) => Promise<Verdict>;

/** Options of {@linkcode Transport.consume}. */
export interface ConsumeOptions {
  /** How many deliveries may wait for their verdict at once, at least 1. */
  readonly prefetch: number;
  /** Refuses other consumers on the queue. @default {false} */
  readonly exclusive?: boolean;
  /**
   * Called when the connection under the consumer is lost; the consumer resumes by itself unless it is cancelled,
   * which this call is early enough for. RabbitMQ may also end a consumer alone, with its queue. Must not throw.
   */
  readonly onInterrupted?: () => void;
}

/** A live consumer. Disposing it is {@linkcode Consumer.stop}. */
export interface Consumer extends AsyncDisposable {
  /** Changes how many deliveries may wait for their verdict; deliveries already here are kept. */
  setPrefetch(prefetch: number): Promise<void>;
  /**
   * Ends the intake; resolves when the broker sends nothing more.
   *
   * Deliveries that are here already keep their right to a verdict until {@linkcode Transport.close}.
   */
  cancel(): Promise<void>;
  /** Cancels, then waits until every open delivery has its verdict and the broker knows it. Idempotent. */
  stop(): Promise<void>;
}

/**
 * What a transport reports about its connection.
 *
 * Between `connected` and `lost`, a broker that is short of something may take no messages: it is `blocked` until
 * it is `unblocked` or `lost`. An exclusive queue may be `held` by a connection that was lost and that the broker
 * has not given up; all else goes on until it is `regained`. A consumer that the broker ended by itself is
 * `interrupted`; it resumes, with its queue declared again.
 */
export type TransportStatus =
  | { readonly state: "connected"; readonly broker: string }
  | { readonly state: "lost"; readonly broker: string; readonly reason: string; readonly retryIn: number }
  | { readonly state: "blocked"; readonly broker: string; readonly reason: string }
  | { readonly state: "unblocked"; readonly broker: string }
  | { readonly state: "held"; readonly broker: string; readonly queue: string; readonly retryIn: number }
  | { readonly state: "regained"; readonly broker: string; readonly queue: string }
  | {
    readonly state: "interrupted";
    readonly broker: string;
    readonly queue: string;
    readonly reason: string;
  };

/** Options that every transport takes. */
export interface TransportOptions {
  /** Called on each change of the connection; `retryIn` is in milliseconds. */
  readonly onStatus?: (status: TransportStatus) => void;
}

/**
 * Moves messages through exchanges and queues.
 *
 * A transport survives the loss of its broker by itself: it reconnects with backoff, declares everything it
 * was told to declare, resumes its consumers, and sends again what was not confirmed. So every message is
 * delivered at least once, and a verdict on a delivery of a lost connection is void.
 */
export interface Transport extends AsyncDisposable {
  /** Where it connects to, fit for people: no password in it. */
  readonly broker: string;
  /**
   * Connects.
   *
   * @throws {BrokerError} If the broker cannot be reached or refuses us; nothing is retried here.
   */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Declares, and remembers to declare again after a reconnect. Declaring the same thing twice is free.
   *
   * @throws {BrokerError} If the broker has something of that name with other properties.
   */
  declare(topology: Topology): Promise<void>;
  /**
   * Publishes; resolves when the broker has confirmed that it is responsible for the message.
   *
   * An outage is waited out, and so is a broker that is blocked, until `signal` aborts (then it rejects with the
   * signal's reason and the message may or may not have been sent).
   *
   * @throws {UnroutableError} If the message is mandatory and no queue takes it.
   * @throws {BrokerError} If the exchange does not exist or the transport is closed.
   */
  publish(message: Message, options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Hands each message of a declared queue to `receiver`; resolves when the broker has accepted the consumer.
   *
   * @throws {RangeError} If `prefetch` is not a positive integer.
   * @throws {BrokerError} If the queue does not exist.
   */
  consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer>;
  /**
   * How many messages wait in a queue, without those that consumers hold; undefined where there is no such queue.
   *
   * @throws {BrokerError} If the queue is exclusive to another connection.
   */
  countMessages(queue: string): Promise<number | undefined>;
  /** Removes a queue, with its messages and bindings; a queue that is not there is fine. */
  deleteQueue(name: string): Promise<void>;
  /**
   * Flushes what is being confirmed and closes; deliveries without a verdict go back to their queues. A broker
   * that is blocked is not waited for. Idempotent, and what disposal does.
   */
  close(): Promise<void>;
}
