import type { Metrics } from "../metrics.ts";

/** How much a service has to do, in numbers of threads and of calls. */
export interface ServiceLoad {
  /** Threads that take calls. */
  readonly ready: number;
  /** Threads that start. */
  readonly starting: number;
  /** Threads that run a call. */
  readonly busy: number;
  /** Calls in threads. */
  readonly active: number;
  /** Calls that wait for a thread. */
  readonly queued: number;
}

/** What a service tells of itself. */
export interface MeasuredService {
  readonly pool: ServiceLoad;
  /** Bytes of memory and milliseconds of processor time of its own process; undefined if nobody knows of one. */
  readonly processUsage: { readonly resident: number; readonly cpuTime: number } | undefined;
}

/**
 * Measures the threads, the calls and the processes of services, whenever somebody collects the numbers.
 *
 * @param services Gives the services that run, by name.
 * @returns Ends that.
 */
export function measureServices(
  metrics: Metrics,
  services: () => ReadonlyMap<string, MeasuredService>,
): () => void {
  const threads = metrics.gauge("enoki_threads", {
    help: "Threads of a service.",
    labels: ["service", "state"],
  });
  const running = metrics.gauge("enoki_calls_running", {
    help: "Calls in threads.",
    labels: ["service"],
  });
  const waiting = metrics.gauge("enoki_calls_waiting", {
    help: "Calls that wait for a thread.",
    labels: ["service"],
  });
  const memory = metrics.gauge("enoki_service_resident_memory_bytes", {
    help: "Memory of the process of a service's own.",
    unit: "bytes",
    labels: ["service"],
  });
  const processor = metrics.counter("enoki_service_cpu_seconds_total", {
    help: "Processor time of the processes of a service's own.",
    unit: "seconds",
    labels: ["service"],
  });
  const cpuTimes = new Map<string, number>();
  return metrics.onCollect(() => {
    for (const [service, { pool, processUsage }] of services()) {
      const { ready, starting, busy, active, queued } = pool;
      threads.with(service, "starting").set(starting);
      threads.with(service, "busy").set(busy);
      threads.with(service, "idle").set(ready - busy);
      running.with(service).set(active);
      waiting.with(service).set(queued);
      if (processUsage === undefined && !cpuTimes.has(service)) continue;
      const { resident, cpuTime } = processUsage ?? { resident: 0, cpuTime: 0 };
      const before = cpuTimes.get(service) ?? 0;
      memory.with(service).set(resident);
      // A process that takes the place of another one begins at zero.
      processor.with(service).add((cpuTime < before ? cpuTime : cpuTime - before) / 1_000);
      cpuTimes.set(service, cpuTime);
    }
  });
}
