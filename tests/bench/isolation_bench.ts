// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";
import { lines } from "./peer.ts";
import { measure, startSides, warmUp } from "./rpc_bench.ts";

const ROUNDS = 7;

/** Milliseconds of each round. */
const DURATION = 500;

const LOADS = [1, 50];

/** How often each program is started. */
const STARTS = 5;

/** The programs whose start is measured: with all permissions, and sandboxed in both ways. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "-A": ["-A"],
  threads: [],
  process: ["--isolation", "process"],
};

/** What a process of a service's own costs, beside sandboxed threads of the main process. */
export async function benchIsolation(broker: string): Promise<readonly Figure[]> {
  return [...await benchCalls(broker), ...await benchStarts()];
}

async function benchCalls(broker: string): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  console.log("\nRPC echo over RabbitMQ, sandboxed: isolation: process beside threads, in turns, medians");
  console.log("in flight   isolation      calls/s    p50 ms    p99 ms    ratio");
  const sides = await startSides(["enoki", "process"], broker, stack);
  await warmUp(sides);
  const figures: Figure[] = [];
  for (const inFlight of LOADS) {
    const turns = await measure(sides, inFlight, ROUNDS, DURATION);
    for (const [name, side] of [["threads", "enoki"], ["process", "process"]] as const) {
      console.log(
        `${String(inFlight).padStart(9)}   ${name.padEnd(9)} ${
          turns.of(side, "rate").toFixed(0).padStart(12)
        } ${turns.of(side, "p50").toFixed(2).padStart(9)} ${turns.of(side, "p99").toFixed(2).padStart(9)} ${
          turns.ratio(side, "enoki", "rate").toFixed(2).padStart(8)
        }`,
      );
    }
    figures.push(...turns.figures(`${inFlight} in flight`, "calls/s", { enoki: "process", bare: "enoki" }));
  }
  return figures;
}

/** Milliseconds from the start of `enoki run` until it is ready, and what all its processes hold in memory then. */
async function benchStarts(): Promise<readonly Figure[]> {
  console.log(`\nenoki run of an echo over memory:, ${STARTS} starts in turns, medians`);
  console.log("program     ready ms    MB in all (shared pages divided)");
  const starts = new Map<string, Start[]>(Object.keys(PROGRAMS).map((name) => [name, []]));
  for (let round = 0; round < STARTS; round++) {
    for (const [name, args] of Object.entries(PROGRAMS)) starts.get(name)!.push(await start(args));
  }
  const of = (name: string, key: keyof Start) => median(starts.get(name)!.map((start) => start[key]));
  for (const name of starts.keys()) {
    console.log(
      `${name.padEnd(9)} ${of(name, "milliseconds").toFixed(0).padStart(10)} ${
        (of(name, "bytes") / 1e6).toFixed(0).padStart(12)
      }`,
    );
  }
  const figure = (name: string, unit: string, key: keyof Start, scale: number) => ({
    name,
    unit,
    enoki: of("process", key) / scale,
    bare: of("threads", key) / scale,
    ratio: of("process", key) / of("threads", key),
  });
  return [figure("until ready", "ms", "milliseconds", 1), figure("resident", "MB", "bytes", 1e6)];
}

interface Start {
  readonly milliseconds: number;
  readonly bytes: number;
}

async function start(args: readonly string[]): Promise<Start> {
  const program = new URL(import.meta.resolve("../../cli.ts")).pathname;
  const module = `${new URL(import.meta.resolve("./echo_service.ts")).pathname}:bench_echo`;
  const begin = performance.now();
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", program, "run", "--no-config", "--broker", "memory:", ...args, module],
    stdin: "null",
    stdout: "null",
    stderr: "piped",
  }).spawn();
  for await (const line of lines(process.stderr)) if (line.startsWith("Ready")) break;
  const milliseconds = performance.now() - begin;
  const bytes = residentOf(process.pid);
  process.kill("SIGINT");
  await process.status;
  return { milliseconds, bytes };
}

/** Resident bytes of a process and of those that it has started; of a page that several share, each has its part. */
function residentOf(pid: number): number {
  const own = /^Pss:\s+(\d+) kB$/m.exec(Deno.readTextFileSync(`/proc/${pid}/smaps_rollup`))![1]!;
  const children = [...Deno.readDirSync(`/proc/${pid}/task`)].flatMap(({ name }) =>
    Deno.readTextFileSync(`/proc/${pid}/task/${name}/children`).split(" ").filter(Boolean)
  );
  return children.reduce((sum, child) => sum + residentOf(Number(child)), Number(own) * 1_024);
}
