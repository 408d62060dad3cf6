import { cpuUsage } from "node:process";
import { recordCounts } from "../../log/observe.ts";
import { type Log, LOG_LEVELS } from "../../log/log.ts";
import type { Metrics } from "../metrics.ts";
import { LateMainThread } from "./late_main_thread.ts";

/** Milliseconds between two looks at the delay of the event loop. */
const DELAY_INTERVAL = 500;

/**
 * Measures the process itself: its memory, its processor time, the delay of its event loop, and the records of its log.
 *
 * The names that begin with `process_` are those by which dashboards of Prometheus know every process.
 */
export class ProcessMetrics implements Disposable {
  readonly #end: () => void;
  readonly #timer: ReturnType<typeof setInterval>;

  /** @param log Is told when the main thread was late. */
  constructor(metrics: Metrics, log: Log) {
    const memory = metrics.gauge("process_resident_memory_bytes", {
      help: "Memory of the process with all its threads.",
      unit: "bytes",
    }).with();
    const heap = metrics.gauge("enoki_heap_used_bytes", {
      help: "JavaScript heap that the main thread uses.",
      unit: "bytes",
    }).with();
    const processor = metrics.counter("process_cpu_seconds_total", {
      help: "Processor time of the process with all its threads.",
      unit: "seconds",
    }).with();
    metrics.gauge("process_start_time_seconds", {
      help: "Seconds from the epoch to the start of the process.",
      unit: "seconds",
    }).with().set(performance.timeOrigin / 1_000);
    const delays = metrics.histogram("enoki_event_loop_delay_seconds", {
      help: "Time by which the main thread was late, looked at twice a second.",
      unit: "seconds",
    }).with();
    const records = metrics.counter("enoki_log_records_total", {
      help: "Records that went to the log.",
      labels: ["level"],
    });
    // Other runs in this process may have logged before.
    const before = { ...recordCounts };
    for (const level of LOG_LEVELS) records.with(level);
    this.#end = metrics.onCollect(() => {
      const { rss, heapUsed } = Deno.memoryUsage();
      memory.set(rss);
      heap.set(heapUsed);
      const { user, system } = cpuUsage();
      processor.value = (user + system) / 1e6;
      for (const level of LOG_LEVELS) records.with(level).value = recordCounts[level] - before[level];
    });
    let due = performance.now() + DELAY_INTERVAL;
    const lateness = new LateMainThread(log, performance.now());
    this.#timer = setInterval(() => {
      const now = performance.now();
      const late = Math.max(0, now - due);
      delays.record(late / 1_000);
      lateness.record(late, now);
      due = now + DELAY_INTERVAL;
    }, DELAY_INTERVAL);
    Deno.unrefTimer(this.#timer);
  }

  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#end();
  }
}
