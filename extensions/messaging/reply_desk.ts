/**
 * Sends requests and takes the replies to them, for all services of a process, with one queue.
 *
 * Invariant: a request is in `#pending` from its beginning until it has settled, and it settles exactly once: by its
 * reply, by the refusal of its message, by its time limit, by its signal or by the end of the desk. So none waits for
 * ever, whatever becomes of the connection.
 *
 * The queue is exclusive, so a lost connection may leave one behind that the broker takes to be in use for minutes.
 * Therefore the requests after a loss get a queue with another name. The former one is consumed again, too, until the
 * requests that have named it have settled: who answers them after the reconnect still reaches them.
 */
import { BrokerError } from "../../runtime/message/errors.ts";
import type { Consumer, Delivery, Message, Transport, Verdict } from "../../runtime/message/transport.ts";
import { Cancellation } from "../../runtime/waiting/cancellation.ts";
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import { WakeTimer } from "../../runtime/waiting/wake_timer.ts";
import { lateReply, requestName } from "./late_reply.ts";
import { makeQueueName } from "./queue_names.ts";
import { PendingMap } from "../../runtime/waiting/pending_map.ts";

/** A reply: its properties and its body. */
export type ReceivedReply = Pick<Delivery, "properties" | "body">;

/** Options of {@linkcode ReplyDesk.ask}. */
export interface RequestLimits {
  /** Milliseconds to wait for the reply. */
  readonly timeout: number;
  /** Aborting ends the wait, and takes back a request that has not been sent. */
  readonly signal?: AbortSignal;
}

/** A queue for replies. */
interface ReplyQueue {
  readonly name: string;
  consumer: Consumer | undefined;
  /** Number of requests that name it and wait. */
  waiting: number;
  /** Whether no further request is to name it. */
  retired: boolean;
}

interface Pending {
  readonly message: Message;
  readonly timeout: number;
  readonly expiresAt: number;
  /** Takes the request back from the transport if it has not been sent. */
  readonly cancellation: Cancellation;
  readonly resolve: (reply: ReceivedReply) => void;
  readonly reject: (error: unknown) => void;
  /** Undefined until the request names one. */
  queue: ReplyQueue | undefined;
}

/** Number of replies in flight. Replies leave the queue as fast as they come: only those who asked wait. */
const REPLY_PREFETCH = 1_000;

/** Longest expiration that RabbitMQ accepts, in milliseconds. */
const LONGEST_EXPIRATION = 2 ** 32 - 1;

/** The desk of one process. */
export class ReplyDesk implements Disposable {
  readonly #transport: Transport;
  readonly #pending = new PendingMap<string, Pending>();
  readonly #clock: Clock;
  readonly #timer: WakeTimer;
  #current: Promise<ReplyQueue> | undefined;
  #closed = false;

  /** @param clock Tells when the time of a request is up. */
  constructor(transport: Transport, clock: Clock = SYSTEM_CLOCK) {
    this.#transport = transport;
    this.#clock = clock;
    this.#timer = new WakeTimer(() => this.#expire(), { clock });
  }

  /**
   * Sends a request, and waits for its reply.
   *
   * @throws {UnroutableError} If no queue takes the request.
   * @throws {CallTimeoutError} If no reply comes in time.
   */
  async ask(message: Message, { timeout, signal }: RequestLimits): Promise<ReceivedReply> {
    signal?.throwIfAborted();
    if (this.#closed) throw new BrokerError(`Cannot send ${requestName(message)}: the service has ended`);
    const { promise, resolve, reject } = Promise.withResolvers<ReceivedReply>();
    const id = crypto.randomUUID();
    const expiresAt = this.#clock.steady() + timeout;
    const cancellation = new Cancellation();
    this.#pending.set(id, { message, timeout, expiresAt, cancellation, resolve, reject, queue: undefined });
    this.#timer.by(expiresAt);
    const withdraw = signal && (() => this.#reject(id, signal.reason));
    if (withdraw) signal.addEventListener("abort", withdraw, { once: true });
    try {
      this.#send(id).catch((error) => this.#reject(id, error));
      return await (this.#clock.during?.(promise) ?? promise);
    } finally {
      if (withdraw) signal.removeEventListener("abort", withdraw);
    }
  }

  /** Rejects the requests that still wait. The queues go with the connection. */
  [Symbol.dispose](): void {
    this.#closed = true;
    this.#timer.close();
    for (const id of [...this.#pending.keys()]) {
      this.#reject(id, new DOMException("The service ended before the reply came", "AbortError"));
    }
  }

  async #send(id: string): Promise<void> {
    let queue: ReplyQueue;
    do queue = await (this.#current ??= this.#open()); while (queue.retired && !this.#closed);
    const pending = this.#pending.get(id);
    if (pending === undefined) return;
    pending.queue = queue;
    queue.waiting++;
    const { message, expiresAt, cancellation } = pending;
    const left = expiresAt - this.#clock.steady();
    await this.#transport.publish({
      ...message,
      mandatory: true,
      properties: {
        ...message.properties,
        replyTo: queue.name,
        correlationId: id,
        ...(left <= LONGEST_EXPIRATION && { expiration: String(Math.max(1, Math.ceil(left))) }),
      },
    }, { cancellation });
  }

  async #open(): Promise<ReplyQueue> {
    const queue: ReplyQueue = {
      name: makeQueueName("replies"),
      consumer: undefined,
      waiting: 0,
      retired: false,
    };
    try {
      await this.#transport.declare({
        queues: [{ name: queue.name, durable: false, exclusive: true, autoDelete: true }],
      });
      queue.consumer = await this.#transport.consume(queue.name, this.#receive, {
        prefetch: REPLY_PREFETCH,
        onInterrupted: () => this.#retire(queue),
      });
      return queue;
    } catch (error) {
      // The next request tries again.
      this.#current = undefined;
      throw error;
    }
  }

  #retire(queue: ReplyQueue): void {
    if (queue.retired) return;
    queue.retired = true;
    this.#current = undefined;
    this.#leaveUnused(queue);
  }

  #leaveUnused(queue: ReplyQueue): void {
    if (queue.retired && queue.waiting === 0) void this.#leave(queue);
  }

  /** Lets the transport forget a queue. Never rejects: if that fails, the queue goes with the connection. */
  async #leave({ name, consumer }: ReplyQueue): Promise<void> {
    try {
      await consumer?.stop();
      await this.#transport.deleteQueue(name);
    } catch {
      // The transport is closed, or the former connection still holds the queue.
    }
  }

  /** Takes a reply off the queue, even if nobody waits for it any more. */
  readonly #receive = ({ properties, body }: Delivery): Promise<Verdict> => {
    const { correlationId = "" } = properties;
    this.#settle(correlationId)?.resolve({ properties, body: body.slice() });
    return TAKEN;
  };

  #reject(id: string, error: unknown): void {
    const pending = this.#settle(id);
    pending?.reject(error);
    pending?.cancellation.cancel();
  }

  #settle(id: string): Pending | undefined {
    const pending = this.#pending.get(id);
    if (pending === undefined) return undefined;
    this.#pending.delete(id);
    if (pending.queue !== undefined) {
      pending.queue.waiting--;
      this.#leaveUnused(pending.queue);
    }
    return pending;
  }

  #expire(): void {
    const now = this.#clock.steady();
    let next = Infinity;
    for (const [id, { message, timeout, expiresAt }] of this.#pending) {
      if (expiresAt > now) next = Math.min(next, expiresAt);
      else this.#reject(id, lateReply(message, timeout));
    }
    this.#timer.by(next);
  }
}

const TAKEN: Promise<Verdict> = Promise.resolve("ack");
