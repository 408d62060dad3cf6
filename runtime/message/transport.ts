/**
 * This folder holds what is on the wire and what comes of a call: the interface of transports, errors and
 * outcomes.
 *
 * This file is the narrow interface between Enoki and a broker: a small form of the AMQP 0-9-1 model. RPC,
 * events and messaging are written once, above these types. The transports `memory:`, `local:` and `amqp:`
 * implement the types below. One conformance suite (`conformance/`) runs against all three, and against any
 * transport that a user writes.
 */

/** How an exchange chooses queues for a message (AMQP 0-9-1, section 3.1.3). */
export type ExchangeType = "direct" | "topic" | "fanout" | "headers";

/**
 * A value that a header table or an argument table can carry. Integers stay integers on the wire. A `Date` has whole
 * seconds there, from 1970 on: its milliseconds are cut off.
 */
export type FieldValue =
  | null
  | boolean
  | number
  | string
  | Date
  | Uint8Array
  | readonly FieldValue[]
  | { readonly [key: string]: FieldValue };

/** A header or argument table. */
export type FieldTable = Readonly<Record<string, FieldValue>>;

/** An exchange to declare. */
export interface ExchangeDeclaration {
  /** Name of the exchange. */
  readonly name: string;
  /** How it chooses the queues of a message. */
  readonly type: ExchangeType;
  /** Whether it is still there after a restart of the broker. @default {true} */
  readonly durable?: boolean;
  /** Whether the broker deletes the exchange when its last binding goes. @default {false} */
  readonly autoDelete?: boolean;
  /** Arguments of the broker's own. */
  readonly arguments?: FieldTable;
}

/** A queue to declare. */
export interface QueueDeclaration {
  /** Name of the queue. */
  readonly name: string;
  /** Whether it is still there after a restart of the broker. @default {true} */
  readonly durable?: boolean;
  /** Whether only this connection may use the queue. The queue goes with the connection. @default {false} */
  readonly exclusive?: boolean;
  /** Whether the broker deletes the queue when its last consumer goes. @default {false} */
  readonly autoDelete?: boolean;
  /**
   * Arguments such as `x-expires`, `x-message-ttl`, `x-max-length` and `x-dead-letter-exchange`. With
   * `x-queue-type` as `stream`, the queue is a log of records, whose consumers take nothing away.
   */
  readonly arguments?: FieldTable;
  /**
   * Whether an operator who has queues replicated wants this one replicated, too. It is false for a queue whose
   * messages nobody needs once its process has gone.
   *
   * @default {true}
   */
  readonly replicated?: boolean;
}

/** A route from an exchange to a queue. */
export interface BindingDeclaration {
  /** The queue that gets the messages. */
  readonly queue: string;
  /** The exchange that they are published to. */
  readonly exchange: string;
  /** Routing key. It is a topic pattern if the exchange is of type `topic`. */
  readonly routingKey: string;
  /** Headers that a message must have, at an exchange of type `headers`. */
  readonly arguments?: FieldTable;
}

/** Exchanges, queues and bindings that belong together. A transport declares them in this order. */
export interface Topology {
  /** The exchanges, which are declared first. */
  readonly exchanges?: readonly ExchangeDeclaration[];
  /** The queues, which are declared behind the exchanges. */
  readonly queues?: readonly QueueDeclaration[];
  /** The bindings, which are made last. */
  readonly bindings?: readonly BindingDeclaration[];
}

/** The AMQP basic properties, in their usual camel case. */
export interface MessageProperties {
  /** How the body is encoded, such as `application/json`. */
  readonly contentType?: string;
  /** How the text of the body is encoded, such as `utf-8`. */
  readonly contentEncoding?: string;
  /** Fields of the sender's own. */
  readonly headers?: FieldTable;
  /** With 2, a durable queue persists the message; with 1, it does not. */
  readonly deliveryMode?: 1 | 2;
  /** Priority from 0 to 255, which only queues with priorities heed. */
  readonly priority?: number;
  /** What tells a reply which request it belongs to. */
  readonly correlationId?: string;
  /** The routing key of the reply. */
  readonly replyTo?: string;
  /** Milliseconds as text, after which the broker drops or dead-letters a waiting message. */
  readonly expiration?: string;
  /** What tells the message from others. */
  readonly messageId?: string;
  /** Seconds since the epoch. */
  readonly timestamp?: number;
  /** A name that the sender gives to messages of this kind. */
  readonly type?: string;
  /** The user of the broker that has sent the message, which the broker checks. */
  readonly userId?: string;
  /** A name that the sender gives to itself. */
  readonly appId?: string;
}

/** A message that a transport sends. */
export interface Message {
  /** Name of the exchange. The empty string is the default exchange, which routes by queue name. */
  readonly exchange: string;
  /** The words by which the exchange chooses queues. */
  readonly routingKey: string;
  /** Body of the message. A transport sends text as UTF-8. */
  readonly body: Uint8Array | string;
  /** What goes along with the body. */
  readonly properties: MessageProperties;
  /** Whether {@linkcode Transport.publish} rejects if no queue takes the message. @default {false} */
  readonly mandatory?: boolean;
}

/** A message that arrived and waits for a verdict. */
export interface Delivery {
  /** The exchange that the message was published to. */
  readonly exchange: string;
  /** The routing key that it was published with. */
  readonly routingKey: string;
  /** Body of the message. It is valid until the verdict: copy the bytes that must live longer. */
  readonly body: Uint8Array;
  /** What came along with the body. */
  readonly properties: MessageProperties;
  /** Whether the broker has offered this message before. */
  readonly redelivered: boolean;
  /** Number of the record, from 0 on. Only the deliveries of a stream have it. */
  readonly offset?: number;
  /**
   * Aborts, with a {@linkcode BrokerError}, when a verdict no longer counts: the connection is lost, and the
   * message has gone back to its queue. It tells nothing to a consumer with `noAck`.
   */
  readonly signal: AbortSignal;
}

/** The fate of a delivery: `ack` takes it, `requeue` offers it again, `reject` drops or dead-letters it. */
export type Verdict = "ack" | "requeue" | "reject";

/**
 * Decides the fate of a delivery.
 *
 * A receiver must not throw. If it rejects anyway, the transport requeues the message; if the message was a
 * redelivery, the transport rejects it.
 */
export type Receiver = (delivery: Delivery) => Promise<Verdict>;

/**
 * Where a consumer of a stream begins: at the first record that the broker keeps, at the last block of records, at
 * the next record, at the record of a number, or at the records of a time (`at`, in milliseconds since the epoch).
 */
export type StreamOffset = "first" | "last" | "next" | number | { readonly at: number };

/** Options of {@linkcode Transport.consume}. */
export interface ConsumeOptions {
  /** Largest number of deliveries that wait for their verdict at the same time, at least 1. */
  readonly prefetch: number;
  /**
   * Milliseconds that the receiver takes for a delivery at most, for a transport whose broker has a limit.
   *
   * @default {not known}
   */
  readonly longest?: number;
  /** Whether the broker refuses other consumers on the queue. @default {false} */
  readonly exclusive?: boolean;
  /**
   * Where to begin in a stream, whose deliveries then have their `offset`.
   *
   * After an interruption the consumer continues behind the last record with a verdict, so that it misses none.
   * Records without a verdict come again. The verdict `requeue` offers the record again to this consumer; the
   * verdicts `ack` and `reject` are the same.
   *
   * @default {the queue is no stream}
   */
  readonly offset?: StreamOffset;
  /**
   * Whether the broker forgets each message before the receiver gets it: it never comes again, whatever becomes of
   * the receiver and of the connection. The verdict then only makes room for another message, so that the receiver
   * still has at most `prefetch` deliveries. A stream, which forgets nothing, ignores it.
   *
   * @default {false}
   */
  readonly noAck?: boolean;
  /**
   * The transport calls it when the connection under the consumer is lost. The consumer then resumes by
   * itself, unless this function cancels it. RabbitMQ may also end a single consumer, together with its
   * queue; then the transport calls the function, too. It must not throw.
   */
  readonly onInterrupted?: () => void;
}

/** Options of {@linkcode Transport.publish}. */
export interface TransportPublishOptions {
  /**
   * Whether the broker is to confirm the message. Without it, the publish resolves when the message is on its way, and
   * a broker that ends may take the message along. Nobody learns whether a mandatory message was routed. A transport
   * may confirm each message nevertheless.
   *
   * @default {true}
   */
  readonly confirmed?: boolean;
  /** Aborting ends the wait for the confirm. The message may or may not have been sent. */
  readonly signal?: AbortSignal;
  /**
   * Takes the message back if the transport has not sent it yet, and costs less than a signal. A transport
   * that heeds it need not look at the signal beside it, and one that never keeps messages back may ignore it. Its
   * `onCancel` calls the listener once, at once if it is cancelled already.
   */
  readonly cancellation?: { onCancel(listener: () => void): void };
}

/** A live consumer. Disposing it does the same as {@linkcode Consumer.stop}. */
export interface Consumer extends AsyncDisposable {
  /** Changes how many deliveries may wait for their verdict. Deliveries that are already here stay. */
  setPrefetch(prefetch: number): Promise<void>;
  /**
   * Ends the intake. Resolves when the broker sends nothing more.
   *
   * Deliveries that are already here keep their right to a verdict until {@linkcode Transport.close}.
   */
  cancel(): Promise<void>;
  /** Cancels, then waits until every open delivery has a verdict that the broker knows. Idempotent. */
  stop(): Promise<void>;
}

/**
 * What a transport reports about its connection.
 *
 * Between `connected` and `lost`, a broker that lacks a resource may take no messages. It is `blocked` until
 * it is `unblocked` or `lost`. An exclusive queue is `held` if a lost connection holds it and the broker has
 * not given up that connection yet; everything else goes on until the queue is `regained`. A consumer is
 * `interrupted` if the broker itself has ended it; it resumes, and the transport declares its queue again. The
 * queue is `regained` once it is consumed again. What the broker `refused` on a reconnect (a queue that has
 * other properties now) holds up nothing else. `queue` is the queue that is not consumed for this reason, and
 * without `retryIn` the transport has given it up. A consumer is `limited` if its receiver may take longer
 * (`longest`, in milliseconds) than the broker waits for a verdict (`limit`).
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
  }
  | {
    readonly state: "limited";
    readonly broker: string;
    readonly queue: string;
    readonly longest: number;
    readonly limit: number;
  }
  | {
    readonly state: "refused";
    readonly broker: string;
    readonly queue?: string;
    readonly reason: string;
    readonly retryIn?: number;
  };

/** Options that every transport takes. */
export interface TransportOptions {
  /** The transport calls it on each change of the connection. The unit of `retryIn` is milliseconds. */
  readonly onStatus?: (status: TransportStatus) => void;
}

/**
 * Moves messages through exchanges and queues.
 *
 * A transport survives the loss of its broker by itself. It reconnects with backoff, declares all topologies
 * again, resumes its consumers, and sends again the messages that the broker has not confirmed. So every
 * message is delivered at least once, and a verdict on a delivery of a lost connection has no effect.
 */
export interface Transport extends AsyncDisposable {
  /** Address of the broker in a form for people: it contains no password. */
  readonly broker: string;
  /** Name and version of the broker, such as `RabbitMQ 4.1.0`. @default {not known} */
  readonly software?: string | undefined;
  /**
   * Connects once, without a retry.
   *
   * @throws {BrokerError} If the broker cannot be reached or refuses us.
   */
  connect(options?: { readonly signal?: AbortSignal }): Promise<void>;
  /**
   * Declares a topology, now and again after each reconnect. Declaring the same thing twice is free.
   *
   * @throws {BrokerError} If the broker has something of that name with other properties.
   */
  declare(topology: Topology): Promise<void>;
  /**
   * Publishes a message. Resolves when the broker has confirmed that it is responsible for the message.
   *
   * It waits while the broker is away or blocked, until `signal` aborts. Then it rejects with the signal's
   * reason, and the message may or may not have been sent.
   *
   * @throws {UnroutableError} If the message is mandatory and no queue takes it.
   * @throws {BrokerError} If the exchange does not exist or the transport is closed.
   */
  publish(message: Message, options?: TransportPublishOptions): Promise<void>;
  /**
   * Hands each message of a declared queue to `receiver`. Resolves when the broker has accepted the consumer.
   *
   * @throws {RangeError} If `prefetch` is not a positive integer.
   * @throws {BrokerError} If the queue does not exist.
   */
  consume(queue: string, receiver: Receiver, options: ConsumeOptions): Promise<Consumer>;
  /**
   * Counts the messages that wait in a queue, without those that consumers hold. Gives undefined if there is
   * no such queue.
   *
   * @throws {BrokerError} If the queue is exclusive to another connection.
   */
  countMessages(queue: string): Promise<number | undefined>;
  /**
   * Counts the consumers of a queue. Gives undefined if there is no such queue. A transport without this method
   * cannot tell.
   *
   * @throws {BrokerError} If the queue is exclusive to another connection.
   */
  countConsumers?(queue: string): Promise<number | undefined>;
  /**
   * Returns whether every consumer that nobody has cancelled consumes. A transport that finds one missing
   * resumes it. A transport without this method loses all its consumers or none.
   */
  isConsuming?(): boolean;
  /** Removes a queue with its messages and bindings. Does nothing if there is no such queue. */
  deleteQueue(name: string): Promise<void>;
  /**
   * Waits for the confirmations that are under way, and closes. Deliveries without a verdict go back to their
   * queues.
   *
   * It does not wait for a broker that is blocked. Idempotent. Disposal does the same.
   *
   * @param options.limit Milliseconds that all of its waits for the broker may take together.
   * @default {a limit of the transport}
   */
  close(options?: { readonly limit?: number }): Promise<void>;
}
