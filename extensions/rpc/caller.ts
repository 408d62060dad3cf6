/**
 * The calling side of RPC on a transport.
 *
 * Invariant: a request is in `#pending` from its beginning until it has settled, and it settles exactly once:
 * by its reply, by the refusal of its publish, by its timeout or by its signal. The timeout counts even while
 * the broker is away and the reply queue cannot be declared. The reply queue is declared before the first
 * request is published, and it outlives a lost connection, so a reply that comes meanwhile waits there.
 * One timer serves all timeouts: it is set to the earliest one, and looks at all of them when it fires.
 */
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import { WakeTimer } from "../../runtime/waiting/wake_timer.ts";
import { JSON_CONTENT_TYPE } from "../../runtime/message/codec.ts";
import { decodeUtf8 } from "../../runtime/message/payload/utf8.ts";
import { COMPRESSION_HEADER } from "../../runtime/message/payload/compression.ts";
import { within } from "../../runtime/waiting/abort.ts";
import { Cancellation } from "../../runtime/waiting/cancellation.ts";
import {
  BrokerError,
  CallTimeoutError,
  UnknownServiceError,
  UnroutableError,
} from "../../runtime/message/errors.ts";
import type {
  Messenger,
  PublishOptions,
  Request,
  RequestAnswer,
  RequestOptions,
} from "../../runtime/message/messenger.ts";
import type { Consumer, Delivery, Message, Transport, Verdict } from "../../runtime/message/transport.ts";
import { LeastTimes } from "./least_times.ts";
import { type RpcTopology, rpcTopology } from "./topology.ts";
import { PendingMap } from "../../runtime/waiting/pending_map.ts";

/** Options of {@linkcode RpcCaller}. */
export interface RpcCallerOptions {
  /** Name of the caller, which is a part of the reply queue's name. */
  readonly caller: string;
  /** The exchange that requests and replies go through. */
  readonly exchange: string;
  /** Whether a request leaves its queue when its caller gives up. @default {true} */
  readonly expires?: boolean;
  /** Whether the broker keeps requests on its disk that do not say. @default {true} */
  readonly persistent?: boolean;
  /** Tells when the time of a request is up. @default {the clock of the machine} */
  readonly clock?: Clock;
}

interface Pending {
  readonly request: Request;
  readonly timeout: number;
  readonly expiresAt: number;
  /** Takes the request back from the transport if it has not been sent. */
  readonly cancellation: Cancellation;
  readonly resolve: (answer: RequestAnswer) => void;
  readonly reject: (error: unknown) => void;
}

/** Number of replies in flight. Replies leave the queue as fast as they come: only their callers wait. */
const REPLY_PREFETCH = 1_000;

/** Longest expiration that RabbitMQ accepts, in milliseconds. */
const LONGEST_EXPIRATION = 2 ** 32 - 1;

/** Milliseconds that the broker has to delete the reply queue. If it is away, the queue expires by itself. */
const LEAVE_LIMIT = 1_000;

/** Calls services through a transport: the {@linkcode Messenger} of the main thread. */
export class RpcCaller implements Messenger, AsyncDisposable {
  readonly #transport: Transport;
  readonly #topology: RpcTopology;
  readonly #caller: string;
  readonly #expires: boolean;
  readonly #deliveryMode: 1 | 2;
  readonly #replyTo = crypto.randomUUID();
  readonly #pending = new PendingMap<string, Pending>();
  readonly #leastTimes = new LeastTimes();
  #consumer: Promise<Consumer> | undefined;
  readonly #clock: Clock;
  readonly #timer: WakeTimer;
  #closed = false;

  constructor(
    transport: Transport,
    { caller, exchange, expires = true, persistent = true, clock = SYSTEM_CLOCK }: RpcCallerOptions,
  ) {
    this.#transport = transport;
    this.#topology = rpcTopology(exchange);
    this.#caller = caller;
    this.#expires = expires;
    this.#deliveryMode = persistent ? 2 : 1;
    this.#clock = clock;
    this.#timer = new WakeTimer(() => this.#expire(), { clock });
  }

  async request(request: Request, { timeout, signal }: RequestOptions): Promise<RequestAnswer> {
    signal?.throwIfAborted();
    if (this.#closed) {
      throw new BrokerError(`Cannot call "${request.service}.${request.method}": the caller is closed`);
    }
    const { promise, resolve, reject } = Promise.withResolvers<RequestAnswer>();
    const correlationId = crypto.randomUUID();
    const expiresAt = this.#clock.steady() + timeout;
    const cancellation = new Cancellation();
    this.#pending.set(correlationId, { request, timeout, expiresAt, cancellation, resolve, reject });
    this.#timer.by(expiresAt);
    const withdraw = signal && (() => this.#reject(correlationId, signal.reason));
    if (withdraw) signal.addEventListener("abort", withdraw, { once: true });
    try {
      this.#send(correlationId).catch((error) => this.#refused(correlationId, error));
      return await (this.#clock.during?.(promise) ?? promise);
    } finally {
      if (withdraw) signal.removeEventListener("abort", withdraw);
    }
  }

  publish(message: Message, options?: PublishOptions): Promise<void> {
    return this.#transport.publish(message, options);
  }

  /** Says whether anybody consumes the calls of a service. See `Connection.isServed()`. */
  async isServed(service: string): Promise<boolean | undefined> {
    const consumers = await this.#transport.countConsumers?.(this.#topology.queueOf(service));
    return consumers === undefined ? undefined : consumers > 0;
  }

  /**
   * Rejects the requests that still wait, and deletes the reply queue.
   *
   * If the broker is away, the queue stays until it expires.
   */
  async [Symbol.asyncDispose](): Promise<void> {
    this.#closed = true;
    this.#timer.close();
    for (const id of [...this.#pending.keys()]) {
      this.#reject(id, new DOMException("The caller was closed before the answer came", "AbortError"));
    }
    if (this.#consumer === undefined) return;
    const leaving = this.#leave(this.#consumer);
    leaving.catch(() => {});
    await within(LEAVE_LIMIT, leaving);
  }

  async #leave(listening: Promise<Consumer>): Promise<void> {
    const consumer = await listening.catch(() => undefined);
    if (consumer === undefined) return;
    await consumer.stop();
    await this.#transport.deleteQueue(this.#topology.replyQueueOf(this.#caller, this.#replyTo));
  }

  /**
   * Declares the reply queue if that is still to do, then publishes the request.
   *
   * A request that has settled in the meantime is not sent. Only `#pending` holds requests, so one that has
   * been given up leaves nothing behind.
   */
  async #send(correlationId: string): Promise<void> {
    await (this.#consumer ??= this.#listen());
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return;
    const { request, expiresAt, cancellation } = pending;
    const message = this.#message(request, correlationId, expiresAt - this.#clock.steady());
    await this.#transport.publish(message, { cancellation });
  }

  #refused(correlationId: string, error: unknown): void {
    const pending = this.#pending.get(correlationId);
    if (pending === undefined) return;
    const { service } = pending.request;
    this.#reject(correlationId, error instanceof UnroutableError ? new UnknownServiceError(service) : error);
  }

  async #listen(): Promise<Consumer> {
    try {
      await this.#transport.declare(this.#topology.caller(this.#caller, this.#replyTo));
      const queue = this.#topology.replyQueueOf(this.#caller, this.#replyTo);
      return await this.#transport.consume(queue, this.#receive, { prefetch: REPLY_PREFETCH });
    } catch (error) {
      // The next request tries again.
      this.#consumer = undefined;
      throw error;
    }
  }

  /**
   * Makes the message. Unless `expires` is false, it expires in the queue when its caller gives up or, where the service has said how long
   * the method takes, when it could no longer be answered in time. So nobody runs it later.
   *
   * @param left Milliseconds that the caller still waits.
   */
  #message(
    { service, method, body, headers, properties }: Request,
    correlationId: string,
    left: number,
  ): Message {
    const routingKey = `${service}.${method}`;
    const { expiration = Infinity, ...own } = properties ?? NONE;
    const waits = Math.min(left, expiration);
    return {
      exchange: this.#topology.exchange,
      routingKey,
      body,
      mandatory: true,
      properties: {
        contentType: JSON_CONTENT_TYPE,
        contentEncoding: "utf-8",
        deliveryMode: this.#deliveryMode,
        priority: 0,
        ...own,
        correlationId,
        replyTo: this.#replyTo,
        headers,
        ...(this.#expires && waits <= LONGEST_EXPIRATION && {
          expiration: String(Math.max(1, Math.ceil(this.#leastTimes.expiration(routingKey, waits)))),
        }),
      },
    };
  }

  /** Takes an answer off the queue, even if nobody waits for it any more. */
  readonly #receive = (delivery: Delivery): Promise<Verdict> => {
    const { correlationId } = delivery.properties;
    const pending = correlationId === undefined ? undefined : this.#pending.get(correlationId);
    if (pending !== undefined) {
      this.#pending.delete(correlationId!);
      this.#leastTimes.learn(pending.request.service, pending.request.method, delivery.properties.headers);
      pending.resolve(answerOf(delivery));
    } else if (correlationId !== undefined) {
      this.#leastTimes.learnLate(correlationId, delivery.properties.headers);
    }
    return TAKEN;
  };

  #reject(correlationId: string, error: unknown): void {
    const pending = this.#pending.get(correlationId);
    this.#pending.delete(correlationId);
    pending?.reject(error);
    pending?.cancellation.cancel();
  }

  #expire(): void {
    const now = this.#clock.steady();
    let next = Infinity;
    for (const [id, { request, timeout, expiresAt }] of this.#pending) {
      if (expiresAt > now) next = Math.min(next, expiresAt);
      else {
        this.#leastTimes.awaitLate(id, `${request.service}.${request.method}`);
        this.#reject(
          id,
          new CallTimeoutError(
            `Cannot call "${request.service}.${request.method}": no answer within ${
              Math.round(timeout)
            } ms. ` +
              "Check that the service runs, or allow more time",
          ),
        );
      }
    }
    this.#timer.by(next);
  }
}

const TAKEN: Promise<Verdict> = Promise.resolve("ack");

const NONE: NonNullable<Request["properties"]> = {};

/** The answer as it crosses to a thread: text if it is JSON, as nearly all are. */
function answerOf({ body, properties: { contentType, headers } }: Delivery): RequestAnswer {
  const compression = headers?.[COMPRESSION_HEADER];
  if ((contentType === JSON_CONTENT_TYPE || contentType === undefined) && compression === undefined) {
    return text(body);
  }
  return { body: body.slice() as Uint8Array<ArrayBuffer>, contentType, compression };
}

function text(body: Uint8Array): string | Uint8Array {
  try {
    return decodeUtf8(body);
  } catch {
    return body.slice();
  }
}
