import { pause } from "../waiting/abort.ts";
import { withoutDeadline } from "../message/call_headers.ts";
import { BrokerError } from "../message/errors.ts";
import { followDemand } from "./follow_demand.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "./host.ts";
import {
  attemptsOf,
  bury,
  lossesOf,
  offerAgain,
  offerApart,
  originalHeaders,
  receivedMessage,
  retryLater,
  sharedLossesOf,
} from "./message_fate.ts";
import type { Outcome } from "../message/outcome.ts";
import type { PlainRecord } from "../message/plain.ts";
import { asksForRetry, nextRetry } from "../message/retry.ts";
import { transportableBody } from "../message/serializer.ts";
import type { Consumer, Delivery, QueueDeclaration, Topology, Verdict } from "../message/transport.ts";

/** One queue that one entrypoint consumes. */
export interface QueueSubscription {
  readonly entry: HostedEntrypoint;
  readonly queue: string;
  /** What to declare before consuming. */
  readonly topology: Topology;
  /** Whether a message whose handler failed is offered again at once, without end (Nameko's `requeue_on_error`). */
  readonly requeueOnError: boolean;
  /** Deliveries held at a time. @default {what the pool can make use of} */
  readonly prefetch?: number;
  /** Whether the handler gets, after the payload, what else the message says. @default {false} */
  readonly passMessage?: boolean;
}

/**
 * Consumes queues for entrypoints whose handlers answer nobody: events and messages.
 *
 * A message is acked when its handler has returned or failed (Nameko's rule), requeued when asked to, offered
 * again later under a retry policy, and buried in a dead-letter queue of ours when it cannot be read, has used up
 * its retries, or has twice cost a thread its life. Who is lost in a thread with others is no suspect for that alone.
 */
export class QueueHost implements Entrypoint {
  readonly #host: EntrypointHost;
  readonly #subscriptions: readonly QueueSubscription[];
  readonly #consumers: Consumer[] = [];
  readonly #stopping = new AbortController();

  constructor(subscriptions: readonly QueueSubscription[], host: EntrypointHost) {
    this.#host = host;
    this.#subscriptions = subscriptions;
  }

  async setup(): Promise<void> {
    for (const subscription of this.#subscriptions) await this.#declare(subscription);
  }

  async start(): Promise<void> {
    const following: Consumer[] = [];
    for (const subscription of this.#subscriptions) {
      const { queue, prefetch } = subscription;
      const consumer = await this.#host.transport.consume(
        queue,
        (delivery) => this.#receive(subscription, delivery),
        { prefetch: prefetch ?? this.#host.demand },
      );
      this.#consumers.push(consumer);
      if (prefetch === undefined) following.push(consumer);
    }
    followDemand(this.#host, following);
  }

  async stop(): Promise<void> {
    this.#stopping.abort();
    await Promise.all(this.#consumers.map((consumer) => consumer.cancel()));
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all(this.#consumers.map((consumer) => consumer.stop()));
  }

  /** A process that died without a word may have left an exclusive queue that the broker takes for in use. */
  async #declare({ queue, topology }: QueueSubscription): Promise<void> {
    const { transport, log } = this.#host;
    const { signal } = this.#stopping;
    for (let waited = 0; !signal.aborted; waited += HELD_INTERVAL) {
      try {
        return await transport.declare(topology);
      } catch (error) {
        if (!(error instanceof BrokerError) || error.state !== "held" || waited >= HELD_PATIENCE) throw error;
        if (waited === 0) log.warning(`Waits for queue "${queue}", which another connection holds`);
        await pause(HELD_INTERVAL, signal).catch(() => {});
      }
    }
  }

  /** Never rejects: a transport may drop what a receiver fails on, and no message is lost here. */
  async #receive(subscription: QueueSubscription, delivery: Delivery): Promise<Verdict> {
    try {
      return await this.#judge(subscription, delivery);
    } catch (error) {
      const { log, signal } = this.#host;
      if (signal.aborted || delivery.signal.aborted) return "requeue";
      log.error(`Cannot settle a message of queue "${subscription.queue}": ${(error as Error).message}`);
      await pause(FAULT_PAUSE, signal).catch(() => {});
      return "requeue";
    }
  }

  async #judge(subscription: QueueSubscription, delivery: Delivery): Promise<Verdict> {
    const { entry, passMessage = false } = subscription;
    const { contentType } = delivery.properties;
    const headers = withoutDeadline(originalHeaders(delivery.properties.headers));
    const outcome = await this.#host.run(entry, {
      body: transportableBody(delivery.body, contentType, headers?.["compression"] !== undefined),
      contentType,
      headers,
      ...(passMessage && { message: receivedMessage(delivery) }),
    });
    switch (outcome.status) {
      case "done":
        return "ack";
      case "unstarted":
        return "requeue";
      case "failed":
        return await this.#decide(subscription, delivery, outcome);
    }
  }

  async #decide(
    { entry, queue, topology, requeueOnError }: QueueSubscription,
    delivery: Delivery,
    { failure, expected, undecoded, lostWith }: Extract<Outcome, { readonly status: "failed" }>,
  ): Promise<Verdict> {
    const { transport, log, signal } = this.#host;
    if (signal.aborted || delivery.signal.aborted) return "requeue";
    const temporary = topology.queues?.some((declared) => declared.name === queue && isTemporary(declared));
    const outbox = { transport, queue, temporary: temporary ?? false, signal };
    const policy = entry.options["retry"] as PlainRecord | undefined;
    if (undecoded) {
      log.error(`Buried a message of queue "${queue}": ${failure.message}`);
      await bury(outbox, delivery, "undecodable", failure);
      return "ack";
    }
    if (lostWith !== undefined) {
      const guilt = guiltOf(delivery, lostWith);
      if (guilt === undefined) await (lostWith === 0 ? offerAgain : offerApart)(outbox, delivery);
      else {
        log.error(`Buried a message of queue "${queue}": ${guilt}`);
        await bury(outbox, delivery, "thread lost", failure);
      }
      return "ack";
    }
    if (asksForRetry(failure) || (policy !== undefined && !expected)) {
      const delay = nextRetry(failure, policy, attemptsOf(delivery) + 1);
      if (delay !== undefined) await retryLater(outbox, delivery, delay);
      else {
        log.error(`Buried a message of queue "${queue}": its retries are used up, last ${failure.message}`);
        await bury(outbox, delivery, "retries used up", failure);
      }
      return "ack";
    }
    return requeueOnError ? "requeue" : "ack";
  }
}

/** How often a message may be lost with others before it counts as the cause. */
const SHARED_LOSS_LIMIT = 10;

/** Why a message that was lost with its thread is not offered again; undefined where it may be innocent. */
function guiltOf(delivery: Delivery, lostWith: number): string | undefined {
  if (lostWith === 0) {
    return lossesOf(delivery) === 0 ? undefined : "its handler cost a thread its life twice";
  }
  return sharedLossesOf(delivery) + 1 < SHARED_LOSS_LIMIT
    ? undefined
    : `it was in ${SHARED_LOSS_LIMIT} threads that were lost, never alone`;
}

/** Whether a queue goes with its consumers. */
function isTemporary({ autoDelete = false, exclusive = false }: QueueDeclaration): boolean {
  return autoDelete || exclusive;
}

/** Milliseconds between two attempts to have an exclusive queue. */
const HELD_INTERVAL = 1_000;

/** Milliseconds after which a broker has given up a connection that shows no sign of life: three heartbeats and more. */
const HELD_PATIENCE = 200_000;

/** Milliseconds before a message is offered again whose fate the broker refused. */
const FAULT_PAUSE = 1_000;
