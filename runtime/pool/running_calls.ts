import type { PooledThread } from "./pooled_thread.ts";
import type { PoolOptions } from "./pool_options.ts";

/** A call that is in a thread. */
export interface RunningCall {
  /** Name such as `orders.place`. */
  readonly name: string;
  /** Milliseconds since the call came to the pool. */
  readonly age: number;
}

/** Lists the calls in threads, the oldest first. */
export function runningCalls(
  threads: Iterable<PooledThread>,
  { service, entrypoints }: Pick<PoolOptions, "service" | "entrypoints">,
): readonly RunningCall[] {
  const now = performance.now();
  return [...threads].flatMap(({ jobs }) =>
    jobs.flatMap((job) => {
      if (job === undefined) return [];
      const { method } = entrypoints?.[job.invocation.entrypoint] ?? {};
      return { name: method === undefined ? service : `${service}.${method}`, age: now - job.queuedAt };
    })
  ).sort((a, b) => b.age - a.age);
}
