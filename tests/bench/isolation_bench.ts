// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import { CONNECTIONS, NUMBER } from "./http_bench.ts";
import { httpLoad } from "./http_load.ts";
import { median } from "./median.ts";
import { lines } from "./peer.ts";
import { PortPeer } from "./port_peer.ts";
import { measure, startSides, warmUp } from "./rpc_bench.ts";
import { type Side, Turns } from "./turns.ts";
import { hasWrk, wrkLoad } from "./wrk.ts";

const ROUNDS = 7;

/** Milliseconds of each round. */
const DURATION = 500;

const LOADS = [1, 50];

/** The same for HTTP, whose load generator takes its time to start. */
const HTTP_ROUNDS = 5;

const HTTP_DURATION = 1_000;

/** The two sandboxes, by the names of their sides in the calls. */
const SIDES = [["threads", "enoki"], ["process", "process"]] as const;

/** How often each program is started. */
const STARTS = 5;

/** The programs whose start is measured: with all permissions, and sandboxed in both ways. */
const PROGRAMS: Readonly<Record<string, readonly string[]>> = {
  "-A": ["-A"],
  threads: ["--isolation", "threads"],
  process: [],
};

/** What a process of a service's own costs, beside sandboxed threads of the main process. */
export async function benchIsolation(broker: string): Promise<readonly Figure[]> {
  return [...await benchCalls(broker), ...await benchRequests(), ...await benchStarts()];
}

async function benchCalls(broker: string): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  console.log("\nRPC echo over RabbitMQ, sandboxed: isolation: process beside threads, in turns, medians");
  console.log(`in flight   ${HEAD.replace("requests", "   calls")}`);
  const sides = await startSides(["enoki", "process"], broker, stack);
  await warmUp(sides);
  const figures: Figure[] = [];
  for (const inFlight of LOADS) {
    const turns = await measure(sides, inFlight, ROUNDS, DURATION);
    for (const [name, side] of SIDES) {
      console.log(`${String(inFlight).padStart(9)}   ${line(name, turns, side, "enoki")}`);
    }
    figures.push(...turns.figures(`${inFlight} in flight`, "calls/s", { enoki: "process", bare: "enoki" }));
  }
  return figures;
}

async function benchRequests(): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const [load, client] = await hasWrk() ? [wrkLoad, "wrk"] : [httpLoad, "a client in Deno"];
  console.log(
    `\n${NUMBER.title} over HTTP, sandboxed, ${client} with ${CONNECTIONS} connections, in turns, medians`,
  );
  console.log(HEAD);
  const sides = new Map<string, Side>();
  for (const [kind] of SIDES) {
    const { port } = stack.use(await PortPeer.start("./http_peer.ts", kind));
    sides.set(kind, (duration) => load(port, NUMBER.asked, CONNECTIONS, duration));
  }
  for (const side of sides.values()) await side(HTTP_DURATION);
  const turns = await Turns.measure(sides, HTTP_ROUNDS, HTTP_DURATION);
  for (const [kind] of SIDES) console.log(line(kind, turns, kind, "threads"));
  return turns.figures(NUMBER.title, "requests/s", { enoki: "process", bare: "threads" });
}

const HEAD = "isolation   requests/s    p50 ms    p99 ms    ratio";

/** What one sandbox reached, and its part of what the threads reached. */
function line(name: string, turns: Turns, side: string, threads: string): string {
  return `${name.padEnd(9)} ${turns.of(side, "rate").toFixed(0).padStart(12)} ${
    turns.of(side, "p50").toFixed(2).padStart(9)
  } ${turns.of(side, "p99").toFixed(2).padStart(9)} ${
    turns.ratio(side, threads, "rate").toFixed(2).padStart(8)
  }`;
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
