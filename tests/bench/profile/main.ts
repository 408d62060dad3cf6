// deno-lint-ignore-file no-console -- a profile prints what it measured
/**
 * `deno task profile http|rpc|events`: where the microseconds of the main thread and of the service's threads go for
 * one request, call or event, and who allocates in the main thread. `AMQP_URI` names the broker.
 */
import { memory } from "../../../extensions/memory/mod.ts";
import { run } from "../../../extensions/run.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { lines } from "../peer.ts";
import { wrkLoad } from "../wrk.ts";
import { PROFILE_CHANNEL, type ProfileMessage } from "./profiled_services.ts";
import { Profiler, type Share } from "./profiler.ts";

/** Milliseconds of load that one profile covers. */
const DURATION = 3_000;

/** What the profiles themselves take. */
const INSPECTOR = "ext:deno_node/inspector.js";

/** How many functions are listed. */
const LISTED = 25;

const BROKER = Deno.env.get("AMQP_URI") ?? "amqp://guest:guest@127.0.0.1:5672";

/** Puts a load on a service for that many milliseconds, and resolves with the number of requests. */
type Load = (duration: number) => Promise<number>;

const PARTS: Readonly<Record<string, () => Promise<Load>>> = {
  async http() {
    const { http } = await serve("bench_echo_profiled", { WEB_SERVER_ADDRESS: "127.0.0.1:0" });
    const asked = { method: "GET", path: "/number" };
    const port = Number(new URL(http!).port);
    return async (duration) => (await wrkLoad(port, asked, 64, duration)).rate * duration / 1_000;
  },
  async rpc() {
    await serve("bench_echo_profiled", {}, BROKER);
    const ask = await startPeer("peer.ts", "load", "profiled", BROKER);
    return async (duration) => JSON.parse(await ask(`50 ${duration}`)).rate * duration / 1_000;
  },
  async events() {
    await serve("bench_handler", {}, BROKER);
    const ask = await startPeer("profile/emitting_peer.ts", BROKER);
    return async (duration) => Number(await ask(String(duration)));
  },
};

function serve(name: string, config: Record<string, string>, broker: string | undefined = undefined) {
  const module = new URL(import.meta.resolve("./profiled_services.ts")).pathname;
  return run([`${module}:${name}`], {
    broker: broker ?? memory(),
    config,
    threads: { permissions: "all" },
  });
}

/**
 * Starts a process that answers each line with a line.
 *
 * @param module Path of its module in the folder of the benchmarks.
 */
async function startPeer(
  module: string,
  ...args: readonly string[]
): Promise<(line: string) => Promise<string>> {
  const process = new Deno.Command(Deno.execPath(), {
    args: ["run", "-A", "--no-prompt", new URL(`../${module}`, import.meta.url).pathname, ...args],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const input = process.stdin.getWriter();
  const output = lines(process.stdout);
  await output.next();
  return async (line) => {
    await input.write(new TextEncoder().encode(`${line}\n`));
    return (await output.next()).value;
  };
}

/** Tells all threads to profile themselves, and gathers what they measured. */
class ThreadProfiles implements Disposable {
  readonly #channel = new BroadcastChannel(PROFILE_CHANNEL);
  readonly #shares: Share[] = [];

  constructor() {
    this.#channel.onmessage = ({ data }: MessageEvent<ProfileMessage>) => {
      if (typeof data !== "string") this.#shares.push(...data);
    };
  }

  start(): void {
    this.#channel.postMessage("start" satisfies ProfileMessage);
  }

  async stop(): Promise<readonly Share[]> {
    this.#channel.postMessage("stop" satisfies ProfileMessage);
    await new Promise((resolve) => setTimeout(resolve, 1_000));
    return this.#shares;
  }

  [Symbol.dispose](): void {
    this.#channel.close();
  }
}

async function profile(part: string): Promise<void> {
  configureLogging({ level: "warning" });
  const load = await PARTS[part]!();
  using profiler = new Profiler();
  using threads = new ThreadProfiles();
  await load(DURATION);

  threads.start();
  const stopTime = await profiler.time();
  const timed = await load(DURATION);
  const main = await stopTime();
  const inThreads = await threads.stop();

  const stopAllocations = await profiler.allocations();
  const allocating = await load(DURATION);
  const allocated = await stopAllocations();

  console.log(`${part}: ${(timed / DURATION * 1_000).toFixed(0)} a second while the profile was taken`);
  print("main thread, µs", main, timed);
  print("threads together, µs", inThreads, timed);
  print("main thread, allocated bytes", allocated, allocating);
}

/** Prints what one request takes: by folder, and by function. */
function print(title: string, shares: readonly Share[], requests: number): void {
  const busy = shares.filter(({ file }) => file !== "(idle)" && file !== INSPECTOR);
  const folders = Map.groupBy(
    busy,
    ({ file }) => file.includes("/") && !file.includes(":") ? folderOf(file) : file,
  );
  console.log(`\n${title} for each`);
  list([...folders].map(([name, all]) => [name, sum(all)]), requests);
  console.log("of these, by function");
  list(busy.map(({ function: name, file, amount }) => [`${name} (${file})`, amount]), requests, LISTED);
}

function folderOf(file: string): string {
  return file.slice(0, file.lastIndexOf("/"));
}

function sum(shares: readonly Share[]): number {
  return shares.reduce((total, { amount }) => total + amount, 0);
}

function list(
  rows: readonly (readonly [name: string, amount: number])[],
  requests: number,
  most = Infinity,
): void {
  const all = rows.reduce((total, [, amount]) => total + amount, 0);
  for (const [name, amount] of rows.toSorted(([, a], [, b]) => b - a).slice(0, most)) {
    if (amount / all < 0.002) break;
    console.log(`${(amount / requests).toFixed(2).padStart(10)}  ${name}`);
  }
  console.log(`${(all / requests).toFixed(2).padStart(10)}  all`);
}

const [part = "http"] = Deno.args;
if (!Object.hasOwn(PARTS, part)) {
  console.error(`Cannot profile ${part}: name one of ${Object.keys(PARTS).join(", ")}`);
  Deno.exit(2);
}
await profile(part);
Deno.exit();
