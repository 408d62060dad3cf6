// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { createSpawner } from "../../runtime/loader.ts";
import { prepareModule } from "../../runtime/prepared_module.ts";
import type { ThreadKind } from "../../runtime/thread.ts";
import { Worker } from "../../runtime/worker.ts";

/** How many threads are spawned one after the other, after a first one. */
const THREADS = 8;

/** What a thread of each kind costs: time until it has loaded the service, and resident memory. */
export async function benchThreads(): Promise<void> {
  console.log(
    "\nThreads: milliseconds to spawn and load (first, then the median of the next), MB resident each",
  );
  console.log("kind         first      next    MB each");
  const moduleUrl = import.meta.resolve("./echo_service.ts");
  for (const kind of ["warden", "node", "web"] satisfies ThreadKind[]) {
    await using spawner = createSpawner(await prepareModule(moduleUrl), "bench", {
      kind,
      permissions: kind === "node" ? "all" : "none",
    });
    const workers: Worker[] = [];
    const spawn = async () => {
      const start = performance.now();
      const worker = new Worker(spawner, `bench#${workers.length}`, () => {});
      workers.push(worker);
      await worker.loaded();
      return performance.now() - start;
    };
    const first = await spawn();
    const before = Deno.memoryUsage().rss;
    const times: number[] = [];
    for (let count = 0; count < THREADS; count++) times.push(await spawn());
    const each = (Deno.memoryUsage().rss - before) / THREADS / 1e6;
    console.log(
      `${kind.padEnd(8)} ${first.toFixed(0).padStart(9)} ${
        times.toSorted((a, b) => a - b)[THREADS >> 1]!.toFixed(0).padStart(9)
      } ${each.toFixed(1).padStart(10)}`,
    );
    for (const worker of workers) worker.kill("the benchmark is over");
  }
}
