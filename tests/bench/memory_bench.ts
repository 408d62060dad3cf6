// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import type service from "./echo_service.ts";
import type { Figure } from "./figures.ts";
import { load } from "./load.ts";
import { benchResident } from "./resident_bench.ts";

/**
 * The same echo over the in-process broker, and what 100,000 calls leave behind; then what HTTP requests do.
 *
 * @param requests Number of the HTTP requests.
 */
export async function benchMemory(requests: number): Promise<readonly Figure[]> {
  console.log("\nRPC echo over memory:, one process");
  console.log("in flight      calls/s    p50 ms    p99 ms");
  const broker = new MemoryBroker();
  await using running = await run([new URL(import.meta.resolve("./echo_service.ts"))], {
    broker: memory({ broker }),
    config: { isolation: "threads" },
  });
  await using connection = await connect({ broker: memory({ broker }) });
  const client = connection.client<typeof service>("bench_echo");
  const target = { echo: (value: unknown) => client.echo(value), close: () => connection.close() };
  await load(target, 50, 2_000);
  const figures: Figure[] = [];
  for (const inFlight of [1, 50, 200]) {
    const { rate, p50, p99 } = await load(target, inFlight, 3_000);
    figures.push({ name: `${inFlight} in flight`, unit: "calls/s", enoki: rate });
    console.log(
      `${String(inFlight).padStart(9)}   ${rate.toFixed(0).padStart(10)} ${p50.toFixed(2).padStart(9)} ${
        p99.toFixed(2).padStart(9)
      }`,
    );
  }
  const call = async (calls: number) => {
    let left = calls;
    await Promise.all(Array.from({ length: 50 }, async () => {
      while (left-- > 0) await client.echo(1);
    }));
    return await residentMegabytes();
  };
  const before = await call(200_000);
  const after = await call(100_000);
  console.log(
    `100,000 calls after the first 200,000: ${(after - before).toFixed(1)} MB of growth (${
      before.toFixed(0)
    } -> ${after.toFixed(0)} MB resident, ${running.containers.get("bench_echo")!.pool.size} threads)`,
  );
  const growth = { name: "growth by 100,000 calls", unit: "MB", enoki: after - before };
  return [...figures, growth, ...await benchResident(requests)];
}

/** Resident memory once garbage has had the time to be collected. */
async function residentMegabytes(): Promise<number> {
  let least = Infinity;
  for (let look = 0; look < 10; look++) {
    await new Promise((resolve) => setTimeout(resolve, 200));
    least = Math.min(least, Deno.memoryUsage().rss / 1e6);
  }
  return least;
}
