import type { CallOutcome } from "./call_record.ts";
import type { Counter, Histogram, Metric } from "./metric.ts";
import type { Metrics } from "./metrics.ts";
import type { CallEntry } from "./recent_calls.ts";

/** The series of one entrypoint. */
export interface EntryCounts {
  readonly outcomes: Readonly<Record<CallOutcome, Counter>>;
  readonly duration: Histogram;
  readonly waiting: Histogram;
}

/** Counts the calls of a process: how many, how they ended, how long they took and waited. */
export class CallCounts {
  readonly #calls: Metric<Counter>;
  readonly #errors: Metric<Counter>;
  readonly #durations: Metric<Histogram>;
  readonly #waits: Metric<Histogram>;

  constructor(metrics: Metrics) {
    const labels = ["service", "method", "kind"];
    this.#calls = metrics.counter("enoki_calls_total", {
      help: "Calls that have ended.",
      labels: [...labels, "outcome"],
      kept: labels.length,
    });
    this.#errors = metrics.counter("enoki_call_errors_total", {
      help: "Calls that have ended with an error, by its class.",
      labels: [...labels, "error"],
      kept: labels.length,
    });
    this.#durations = metrics.histogram("enoki_call_duration_seconds", {
      help: "Time from the arrival of a call to its end.",
      labels,
      unit: "seconds",
    });
    this.#waits = metrics.histogram("enoki_call_wait_seconds", {
      help: "Time that a call waited for a thread.",
      labels,
      unit: "seconds",
    });
  }

  /** Counts a call. Times are in milliseconds. */
  count(
    { service, method, kind }: CallEntry,
    counts: EntryCounts,
    outcome: CallOutcome,
    error: string | undefined,
    took: number,
    waited: number,
  ): void {
    counts.outcomes[outcome].value++;
    counts.duration.record(took / 1_000);
    counts.waiting.record(waited / 1_000);
    if (error !== undefined) this.#errors.with(service, method, kind, error).add();
  }

  /** Gives the series of an entrypoint. */
  of({ service, method, kind }: CallEntry): EntryCounts {
    const labels = [service, method, kind];
    return {
      outcomes: {
        ok: this.#calls.with(...labels, "ok"),
        expected: this.#calls.with(...labels, "expected"),
        failed: this.#calls.with(...labels, "failed"),
      },
      duration: this.#durations.with(...labels),
      waiting: this.#waits.with(...labels),
    };
  }
}
