import type { Failure } from "../message/failure.ts";
import type { Delivery } from "../message/transport.ts";
import type { Counter, Metric } from "../telemetry/metric.ts";
import type { EntrypointHost } from "./host.ts";
import { bury, type DeathReason, type Outbox } from "./message_fate.ts";

/** The part of a queue's name that differs for each instance of a service that listens to broadcasts. */
const INSTANCE = /[\da-f]{8}-(?:[\da-f]{4}-){3}[\da-f]{12}/g;

/** Counts what becomes of the messages of one service's queues, beside that they are handled. */
export class QueueCounts {
  readonly #service: string;
  readonly #redelivered: Metric<Counter>;
  readonly #retried: Metric<Counter>;
  readonly #skipped: Metric<Counter>;
  readonly #dead: Metric<Counter>;

  constructor({ service, metrics }: Pick<EntrypointHost, "service" | "metrics">) {
    const labels = ["service", "queue"];
    this.#service = service;
    this.#redelivered = metrics.counter("enoki_messages_redelivered_total", {
      help: "Messages that the broker had offered before.",
      labels,
      kept: 1,
    });
    this.#retried = metrics.counter("enoki_messages_retried_total", {
      help: "Messages whose handler failed, and that wait to be offered again.",
      labels,
      kept: 1,
    });
    this.#skipped = metrics.counter("enoki_messages_skipped_total", {
      help: "Messages that were not handled again, because their methods handle each message once.",
      labels,
      kept: 1,
    });
    this.#dead = metrics.counter("enoki_messages_dead_total", {
      help: "Messages that were moved to a dead-letter queue.",
      labels: [...labels, "reason"],
      kept: 1,
    });
  }

  redelivered(queue: string): void {
    this.#redelivered.with(this.#service, nameOf(queue)).add();
  }

  retried(queue: string): void {
    this.#retried.with(this.#service, nameOf(queue)).add();
  }

  skipped(queue: string): void {
    this.#skipped.with(this.#service, nameOf(queue)).add();
  }

  /** Puts a message into the dead-letter queue of its queue, and counts it. */
  async bury(outbox: Outbox, delivery: Delivery, reason: DeathReason, failure: Failure): Promise<void> {
    await bury(outbox, delivery, reason, failure);
    this.#dead.with(this.#service, nameOf(outbox.queue), reason).add();
  }
}

function nameOf(queue: string): string {
  return queue.replaceAll(INSTANCE, "*");
}
