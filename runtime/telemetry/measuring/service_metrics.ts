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

/**
 * Measures the threads and the calls of services, whenever somebody collects the numbers.
 *
 * @param services Gives the services that run, by name.
 * @returns Ends that.
 */
export function measureServices(
  metrics: Metrics,
  services: () => ReadonlyMap<string, { readonly pool: ServiceLoad }>,
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
  return metrics.onCollect(() => {
    for (const [service, { pool: { ready, starting, busy, active, queued } }] of services()) {
      threads.with(service, "starting").set(starting);
      threads.with(service, "busy").set(busy);
      threads.with(service, "idle").set(ready - busy);
      running.with(service).set(active);
      waiting.with(service).set(queued);
    }
  });
}
