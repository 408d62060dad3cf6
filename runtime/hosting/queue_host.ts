import { abortable, pause } from "../waiting/abort.ts";
import { decodeDeadline, withoutDeadline } from "../message/call_headers.ts";
import { BrokerError, CallTimeoutError } from "../message/errors.ts";
import { describeFailure } from "../message/failure.ts";
import { prefetchOf } from "./limits/call_limits.ts";
import { followDemand } from "./follow_demand.ts";
import { runHeld } from "./held_calls.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "./host.ts";
import { UncopyableError } from "./message_copy.ts";
import { QueueCounts } from "./queue_counts.ts";
import {
  attemptsOf,
  deadLetterQueueOf,
  lossesOf,
  offerAgain,
  offerApart,
  originalHeaders,
  parentOf,
  receivedMessage,
  retryLater,
  sharedLossesOf,
  timeApart,
} from "./message_fate.ts";
import { type Losses, RecordLosses } from "./record_losses.ts";
import { fieldsOfCall } from "../telemetry/call_fields.ts";
import { type EndedOutcome, failed, type Outcome } from "../message/outcome.ts";
import type { PlainRecord } from "../message/plain.ts";
import {
  asksForRetry,
  describeAttempts,
  describeRetry,
  nextRetry,
  reasonForRetry,
} from "../message/retry.ts";
import { transportableBody } from "../message/payload/transportable_body.ts";
import { SKIPPED } from "../service/effects/once.ts";
import type { Payload } from "../service/entrypoint.ts";
import type {
  Consumer,
  Delivery,
  QueueDeclaration,
  StreamOffset,
  Topology,
  Verdict,
} from "../message/transport.ts";

/** One queue that one entrypoint consumes. */
export interface QueueSubscription {
  /** The entrypoint that handles the messages. */
  readonly entry: HostedEntrypoint;
  /** Name of the queue. */
  readonly queue: string;
  /** Exchanges, queues and bindings to declare before consuming. */
  readonly topology: Topology;
  /** Whether the broker offers a message again, at once and without end, if its handler failed: `requeue_on_error`. */
  readonly requeueOnError: boolean;
  /** Number of deliveries that the consumer holds at a time. @default {as many as the pool can use} */
  readonly prefetch?: number;
  /** Where to begin if the queue is a stream. @default {the queue is no stream} */
  readonly offset?: StreamOffset;
  /** Whether the handler gets, after the payload, everything else that the message says. @default {false} */
  readonly passMessage?: boolean;
  /**
   * Whether the broker forgets a message before its handler runs. Then nothing offers, retries or buries it.
   *
   * @default {false}
   */
  readonly noAck?: boolean;
  /**
   * Answers a message that names a queue for its answer, in place of all that becomes of other failed messages. The
   * broker takes the message off its queue once this resolves, and offers it again if it rejects.
   *
   * @default {no message is answered}
   */
  readonly answer?: (delivery: Delivery, outcome: EndedOutcome) => Promise<void>;
}

/**
 * Consumes queues of events and messages.
 *
 * The host acks a message when its handler has returned or failed (Nameko's rule). It requeues a message when
 * `requeueOnError` asks for it, and offers a message again later under a retry policy. It buries a message in
 * one of Enoki's own dead-letter queues in three cases: nobody can read the message, its retries are used up,
 * or it has twice run alone in a thread that was lost. A message that was lost together with others does not
 * count as the cause for that alone, unless this happens {@linkcode SHARED_LOSS_LIMIT} times.
 *
 * It offers no record of a stream again by publishing a copy, because the copy would be a new record for every
 * reader. A record that was lost with its thread is offered again here, in this process; it is buried for the same
 * reasons as a message.
 */
export class QueueHost implements Entrypoint {
  readonly #host: EntrypointHost;
  readonly #subscriptions: readonly QueueSubscription[];
  readonly #consumers: Consumer[] = [];
  /** The consumers among them whose messages the broker has forgotten. */
  readonly #forgetful: Consumer[] = [];
  readonly #stopping = new AbortController();
  readonly #losses = new RecordLosses();
  readonly #counts: QueueCounts;

  /** Makes the entrypoint of some queues of one service. */
  constructor(subscriptions: readonly QueueSubscription[], host: EntrypointHost) {
    this.#host = host;
    this.#subscriptions = subscriptions;
    this.#counts = new QueueCounts(host);
  }

  async setup(): Promise<void> {
    for (const subscription of this.#subscriptions) await this.#declare(subscription);
  }

  async start(): Promise<void> {
    const following: Pick<Consumer, "setPrefetch">[] = [];
    for (const subscription of this.#subscriptions) {
      const { entry, queue, prefetch, offset, noAck = false } = subscription;
      const { timeout } = entry;
      const consumer = await this.#host.transport.consume(
        queue,
        (delivery) => this.#receive(subscription, delivery),
        {
          prefetch: prefetch ?? prefetchOf(entry, this.#host.demand),
          ...(timeout !== undefined && { longest: timeout }),
          ...(offset !== undefined && { offset }),
          ...(noAck && { noAck }),
        },
      );
      this.#consumers.push(consumer);
      if (noAck) this.#forgetful.push(consumer);
      if (prefetch === undefined) {
        following.push({ setPrefetch: (demand) => consumer.setPrefetch(prefetchOf(entry, demand)) });
      }
    }
    followDemand(this.#host, following);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#consumers.map((consumer) => consumer.cancel()));
    // These messages cannot go back to the broker, so their calls must not be given back.
    const finished = Promise.all(this.#forgetful.map((consumer) => consumer.stop()));
    await abortable(finished, this.#host.signal).catch((error) => {
      if (!this.#host.signal.aborted) throw error;
    });
  }

  /** Ends the consumers. */
  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
  }

  /**
   * Declares the queue, and waits while another connection holds it, at most {@linkcode HELD_PATIENCE}. A
   * process that died suddenly may have left an exclusive queue that the broker still believes to be in use.
   */
  async #declare({ queue, topology }: QueueSubscription): Promise<void> {
    const { transport, log } = this.#host;
    const { signal } = this.#stopping;
    for (let waited = 0; !signal.aborted; waited += HELD_INTERVAL) {
      try {
        return await transport.declare(topology);
      } catch (error) {
        if (!(error instanceof BrokerError) || error.state !== "held" || waited >= HELD_PATIENCE) throw error;
        if (waited === 0) log.warning(`Waiting for queue "${queue}": another connection holds it`);
        await pause(HELD_INTERVAL, signal).catch(() => {});
      }
    }
  }

  /**
   * Never rejects, because a transport may drop a message if its receiver fails, and no message may be lost.
   */
  async #receive(subscription: QueueSubscription, delivery: Delivery): Promise<Verdict> {
    if (delivery.redelivered) this.#counts.redelivered(subscription.queue);
    if (subscription.noAck) return await this.#runOnce(subscription, delivery);
    const { entry, queue, answer } = subscription;
    try {
      if (answer !== undefined && delivery.properties.replyTo) {
        const outcome = await this.#runInTime(subscription, delivery);
        if (outcome.status === "unstarted") return "requeue";
        await answer(delivery, outcome);
        return "ack";
      }
      const outcome = await this.#host.run(entry, payloadOf(subscription, delivery));
      if (outcome.status === "unstarted") return "requeue";
      if (outcome.status === "failed") return await this.#decide(subscription, delivery, outcome);
      if (outcome.head === SKIPPED) this.#counts.skipped(queue);
      this.#losses.forget(subscription, delivery.offset);
      return "ack";
    } catch (error) {
      const { log, signal } = this.#host;
      if (signal.aborted || delivery.signal.aborted) return "requeue";
      if (error instanceof UncopyableError) {
        // Offering it again would end in the same way, and would never end.
        log.error(`Dropped a message that could be neither handled nor moved: ${error.message}`);
        return "reject";
      }
      log.error(`Cannot settle a message of queue "${queue}": ${(error as Error).message}`);
      await pause(FAULT_PAUSE, signal, this.#host.clock).catch(() => {});
      return "requeue";
    }
  }

  #decide(subscription: QueueSubscription, delivery: Delivery, outcome: FailedOutcome): Promise<Verdict> {
    return subscription.offset === undefined
      ? this.#decideMessage(subscription, delivery, outcome)
      : this.#decideRecord(subscription, delivery, outcome);
  }

  /** Runs the call of a message whose sender waits for the answer, unless the sender waits no more. */
  #runInTime(subscription: QueueSubscription, delivery: Delivery): Outcome | Promise<Outcome> {
    const { entry, queue } = subscription;
    const now = this.#host.clock.now();
    const deadline = decodeDeadline(originalHeaders(delivery), now);
    if (deadline !== undefined && deadline <= now) {
      const late = new CallTimeoutError(
        `Cannot handle a message of queue "${queue}": its deadline has passed`,
      );
      return failed(describeFailure(late), true);
    }
    const payload = payloadOf(subscription, delivery);
    return this.#host.run(entry, deadline === undefined ? payload : { ...payload, deadline });
  }

  /** Runs the call of a message that the broker has forgotten. The verdict only makes room for the next one. */
  async #runOnce(subscription: QueueSubscription, delivery: Delivery): Promise<Verdict> {
    const { entry, queue } = subscription;
    const { service, log, signal } = this.#host;
    const outcome = await runHeld(this.#host, entry, payloadOf(subscription, delivery), { signal });
    const lost = `Lost a message of queue "${queue}", which the broker has forgotten because of noAck`;
    if (outcome.status === "unstarted") log.error(`${lost}: the service stopped before its handler ran`);
    if (outcome.status !== "failed") return "ack";
    const { failure, undecoded, lostWith, traceparent } = outcome;
    const fields = fieldsOfCall(service, entry.method, traceparent);
    if (undecoded || lostWith !== undefined) log.error(`${lost}: ${failure.message}`, {}, fields);
    else if (asksForRetry(failure)) {
      const text = `${lost}: ${service}.${entry.method} failed, and asked for a retry that noAck rules out`;
      log.error(text, {}, fields);
    }
    return "ack";
  }

  /** Decides the fate of a record of a stream. The thread has logged the failure. */
  async #decideRecord(
    subscription: QueueSubscription,
    delivery: Delivery,
    { failure, undecoded, lostWith, traceparent }: FailedOutcome,
  ): Promise<Verdict> {
    const { transport, log, signal, clock } = this.#host;
    if (signal.aborted || delivery.signal.aborted) return "requeue";
    const { queue, entry: { method } } = subscription;
    const { offset } = delivery;
    const outbox = { transport, queue, traceparent, signal, log };
    const fields = fieldsOfCall(this.#host.service, method, traceparent);
    const record = `record ${offset} of stream "${queue}"`;
    if (undecoded) {
      await this.#counts.bury(outbox, delivery, "undecodable", failure);
      log.error(`Cannot read ${record}: ${failure.message}. ${whereBuried(queue)}`, {}, fields);
    } else if (lostWith !== undefined && offset !== undefined) {
      const { alone, shared } = this.#losses.of(subscription, offset);
      const guilt = guiltOf({ alone, shared }, lostWith);
      if (guilt === undefined) {
        const isAlone = lostWith === 0;
        this.#losses.set(
          subscription,
          offset,
          isAlone ? { alone: 1, shared } : { alone, shared: shared + 1 },
        );
        if (!isAlone) {
          await pause(timeApart(shared), AbortSignal.any([signal, delivery.signal]), clock).catch(() => {});
        }
        return "requeue";
      }
      await this.#counts.bury(outbox, delivery, "thread lost", failure);
      log.error(`Gave up ${record}: ${guilt}. ${whereBuried(queue)}`, {}, fields);
    } else if (asksForRetry(failure)) {
      log.error(
        `Cannot retry ${record}, as ${this.#host.service}.${method} asks: it would be a new record for every ` +
          `reader. It counts as failed: ${reasonForRetry(failure) ?? "no reason given"}`,
        {},
        fields,
      );
    }
    this.#losses.forget(subscription, offset);
    return "ack";
  }

  /** Decides the fate of a message. The thread has logged the failure. */
  async #decideMessage(
    { entry, queue, topology, requeueOnError }: QueueSubscription,
    delivery: Delivery,
    { failure, expected, undecoded, lostWith, traceparent }: FailedOutcome,
  ): Promise<Verdict> {
    const { transport, log, signal } = this.#host;
    if (signal.aborted || delivery.signal.aborted) return "requeue";
    const temporary = topology.queues?.some((declared) => declared.name === queue && isTemporary(declared));
    const outbox = { transport, queue, temporary: temporary ?? false, traceparent, signal, log };
    const fields = fieldsOfCall(this.#host.service, entry.method, traceparent);
    const policy = entry.options["retry"] as PlainRecord | undefined;
    if (undecoded) {
      await this.#counts.bury(outbox, delivery, "undecodable", failure);
      log.error(
        `Cannot read a message of queue "${queue}": ${failure.message}. ${whereBuried(queue)}`,
        {},
        fields,
      );
      return "ack";
    }
    if (lostWith !== undefined) {
      const losses = { alone: lossesOf(delivery), shared: sharedLossesOf(delivery) };
      const guilt = guiltOf(losses, lostWith);
      if (guilt === undefined) await (lostWith === 0 ? offerAgain : offerApart)(outbox, delivery);
      else {
        await this.#counts.bury(outbox, delivery, "thread lost", failure);
        log.error(`Gave up a message of queue "${queue}": ${guilt}. ${whereBuried(queue)}`, {}, fields);
      }
      return "ack";
    }
    if (asksForRetry(failure) || (policy !== undefined && !expected)) {
      const attempt = attemptsOf(delivery) + 1;
      const delay = nextRetry(failure, policy, attempt);
      if (delay !== undefined) {
        await retryLater(outbox, delivery, delay);
        this.#counts.retried(queue);
        const handler = `${this.#host.service}.${entry.method}`;
        log.info(describeRetry(handler, failure, policy, { attempt, delay }), {}, fields);
      } else {
        await this.#counts.bury(outbox, delivery, "retries used up", failure);
        log.error(
          `Gave up a message of queue "${queue}" after ${describeAttempts(attempt)}: ` +
            `${reasonForRetry(failure) ?? failure.message}. ${whereBuried(queue)}`,
          {},
          fields,
        );
      }
      return "ack";
    }
    return requeueOnError ? "requeue" : "ack";
  }
}

type FailedOutcome = Extract<Outcome, { readonly status: "failed" }>;

/** Makes the payload of a call from a message. Only who answers a message heeds its deadline. */
function payloadOf(
  { queue, passMessage = false, answer }: QueueSubscription,
  delivery: Delivery,
): Payload {
  const { contentType, replyTo, priority } = delivery.properties;
  const original = originalHeaders(delivery);
  const headers = answer !== undefined && replyTo ? original : withoutDeadline(original);
  return {
    body: transportableBody(delivery.body, contentType, headers?.["compression"] !== undefined),
    contentType,
    headers,
    parent: parentOf(delivery),
    ...(priority && { priority }),
    ...(passMessage && { message: { ...receivedMessage(delivery), queue } }),
  };
}

/** Number of losses together with others at which a message counts as the cause. */
const SHARED_LOSS_LIMIT = 10;

/**
 * Returns why a message that was lost with its thread is not offered again; undefined if it may be innocent.
 */
function guiltOf({ alone, shared }: Losses, lostWith: number): string | undefined {
  if (lostWith === 0) {
    return alone === 0 ? undefined : "it ran alone in two threads that were lost";
  }
  return shared + 1 < SHARED_LOSS_LIMIT
    ? undefined
    : `it ran in ${SHARED_LOSS_LIMIT} threads that were lost, each time together with other calls`;
}

/** Says where a message is that nobody offers again. */
function whereBuried(queue: string): string {
  return `Moved to ${deadLetterQueueOf(queue)}. See: enoki dead list ${queue}`;
}

/** Whether the broker deletes a queue with its consumers. */
function isTemporary({ autoDelete = false, exclusive = false }: QueueDeclaration): boolean {
  return autoDelete || exclusive;
}

/** Milliseconds between two attempts to declare an exclusive queue. */
const HELD_INTERVAL = 1_000;

/**
 * Milliseconds after which a broker has given up a connection that shows no sign of life: more than three
 * heartbeats.
 */
const HELD_PATIENCE = 200_000;

/** Milliseconds before a message is offered again that the host could not retry or bury. */
const FAULT_PAUSE = 1_000;
