// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { memory } from "../../extensions/memory/mod.ts";
import { run } from "../../extensions/run.ts";
import type { Figure } from "./figures.ts";
import { load } from "./load.ts";
import { median } from "./median.ts";

/** Rounds; the two numbers of threads take turns, so that a noisy minute hits both. */
const ROUNDS = 5;

/** Milliseconds of each side in each round. */
const DURATION = 2_000;

const CORES = navigator.hardwareConcurrency;

/** Calls at a time of handlers that do nothing. */
const MANY = 200;

/** What the cores of a machine are good for: the ceiling of one main thread, and handlers that compute. */
export async function benchCores(): Promise<readonly Figure[]> {
  console.log(
    `\nCores: calls by the pool alone, without a transport; ${ROUNDS} rounds of ${DURATION / 1_000} s`,
  );
  await using one = await Threads.start(1);
  await using all = await Threads.start(CORES);
  const ceilings: number[] = [];
  for (let round = 0; round < ROUNDS; round++) ceilings.push(await all.rate("nothing", MANY));
  const ceiling = median(ceilings);
  console.log(`ceiling of the main thread, handlers that do nothing: ${ceiling.toFixed(0)} calls/s`);

  const rounds: { readonly one: number; readonly all: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ one: await one.rate("compute", 2), all: await all.rate("compute", 2 * CORES) });
  }
  const [oneRate, allRate, ratio] = [
    median(rounds.map(({ one }) => one)),
    median(rounds.map(({ all }) => all)),
    median(rounds.map(({ one, all }) => all / one)),
  ];
  console.log(
    `handlers that compute: ${oneRate.toFixed(0)} calls/s with one thread, ${
      allRate.toFixed(0)
    } with ${CORES}, ` +
      `which is ${ratio.toFixed(2)} times as many`,
  );
  return [
    { name: "ceiling of the main thread", unit: "calls/s", enoki: ceiling },
    {
      name: `computing in ${CORES} threads, and in one`,
      unit: "calls/s",
      enoki: allRate,
      bare: oneRate,
      ratio,
    },
  ];
}

/** A service with a number of threads, which is called without a transport. */
class Threads implements AsyncDisposable {
  readonly #running: Awaited<ReturnType<typeof run>>;

  constructor(running: Awaited<ReturnType<typeof run>>) {
    this.#running = running;
  }

  static async start(threads: number): Promise<Threads> {
    const running = await run([new URL(import.meta.resolve("./cores_services.ts"))], {
      broker: memory(),
      config: { max_workers: threads, min_workers: threads },
      threads: { permissions: "all" },
    });
    const all = new Threads(running);
    await all.rate("compute", 2 * threads);
    await all.rate("nothing", MANY);
    return all;
  }

  /** Calls in a second. */
  async rate(method: "nothing" | "compute", inFlight: number): Promise<number> {
    const container = this.#running.containers.get("bench_cores")!;
    const entrypoint = method === "nothing" ? 0 : 1;
    const echo = () =>
      container.run({
        entrypoint,
        body: '{"args":[],"kwargs":{}}',
        contentType: "application/json",
        headers: undefined,
      });
    return (await load({ echo, close: () => Promise.resolve() }, inFlight, DURATION)).rate;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#running[Symbol.asyncDispose]();
  }
}
