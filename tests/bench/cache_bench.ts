// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import type bench from "./cache_service.ts";
import type { ReadTimes } from "./cache_service.ts";
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";

const ROUNDS = 10;

const READS = 20_000;

/** Most microseconds that a hit may cost beyond a read of a bare Map. */
const FLOOR = 30;

/** What a hit in the first level costs, beside a bare Map in the same thread. */
export async function benchCache(): Promise<readonly Figure[]> {
  console.log(`\nA hit of a cache beside a bare Map; ${ROUNDS} rounds of ${READS} reads each, medians`);
  const broker = new MemoryBroker();
  const module = new URL("./cache_service.ts", import.meta.url);
  await using _running = await run([module], { broker: memory({ broker }), threads: { kind: "web" } });
  await using cluster = await connect({ broker: memory({ broker }) });
  const { measure } = cluster.client<typeof bench>("enoki_bench_cache");
  const rounds: ReadTimes[] = [];
  await measure(READS);
  for (let round = 0; round < ROUNDS; round++) rounds.push(await measure(READS));
  const bare = median(rounds.map((times) => times.bare));
  console.log("read                µs    µs more   ratio  floor");
  console.log(`bare Map     ${bare.toFixed(2).padStart(9)}`);
  const figures: Figure[] = [];
  for (const [name, key] of [["cache.get", "own"], ["cachedClient", "called"]] as const) {
    const time = median(rounds.map((times) => times[key]));
    figures.push({ name, unit: "µs", enoki: time, bare, ratio: time / bare });
    console.log(
      `${name.padEnd(12)} ${time.toFixed(2).padStart(9)} ${(time - bare).toFixed(2).padStart(10)} ${
        (time / bare).toFixed(1).padStart(7)
      } ${String(FLOOR).padStart(6)}${time - bare > FLOOR ? "  too slow" : ""}`,
    );
  }
  return figures;
}
