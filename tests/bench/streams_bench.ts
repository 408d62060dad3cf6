// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";
import { lines } from "./peer.ts";

/** Rounds; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 5;

/** Milliseconds of each side in each round. */
const DURATION = 2_000;

const CONNECTIONS = 64;

/** The least part of a bare server's rate that must be reached. */
const FLOOR = 0.35;

const IDLE = 10_000;

/** Megabytes that the idle connections may take. */
const MOST_MEGABYTES = 100;

/** Lines to a service, beside the same by a bare `Deno.listen`, and what silent connections take. */
export async function benchStreams(): Promise<readonly Figure[]> {
  console.log(
    `\nStreams, lines of 64 bytes over ${CONNECTIONS} connections, one at a time on each; ${ROUNDS} rounds of ` +
      `${DURATION / 1_000} s, medians; ratio to a bare Deno.listen that sends back what it reads`,
  );
  await using bare = await Peer.start("serve", "bare");
  await using enoki = await Peer.start("serve", "enoki");
  const ports = [await bare.next(), await enoki.next()];
  const [barePort, enokiPort] = ports;
  const load = async (port: string, duration: number) => {
    await using loader = await Peer.start("load", port, String(CONNECTIONS), String(duration));
    return Number(await loader.next());
  };
  for (const port of ports) await load(port, DURATION / 2);
  const rounds: { readonly bare: number; readonly enoki: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    rounds.push({ bare: await load(barePort!, DURATION), enoki: await load(enokiPort!, DURATION) });
  }
  const ratio = median(rounds.map(({ bare, enoki }) => enoki / bare));
  console.log("        bare/s  enoki/s   ratio  floor");
  const [bareRate, enokiRate] = [
    median(rounds.map(({ bare }) => bare)),
    median(rounds.map(({ enoki }) => enoki)),
  ];
  console.log(
    `echo   ${bareRate.toFixed(0).padStart(7)} ${enokiRate.toFixed(0).padStart(8)} ${
      ratio.toFixed(2).padStart(7)
    } ${FLOOR.toFixed(2).padStart(6)}${ratio < FLOOR ? "  too slow" : ""}`,
  );
  await using fresh = await Peer.start("serve", "enoki");
  const port = await fresh.next();
  const before = await fresh.settledMegabytes();
  await using _holder = await hold(port);
  const took = await fresh.settledMegabytes() - before;
  console.log(
    `${IDLE} silent connections: ${took.toFixed(0)} MB resident, at most ${MOST_MEGABYTES}${
      took > MOST_MEGABYTES ? "  too much" : ""
    }`,
  );
  return [
    { name: "lines sent back", unit: "lines/s", enoki: enokiRate, bare: bareRate, ratio },
    { name: `${IDLE} silent connections`, unit: "MB", enoki: took },
  ];
}

async function hold(port: string): Promise<Peer> {
  const holder = await Peer.start("hold", port, String(IDLE));
  await holder.next();
  return holder;
}

class Peer implements AsyncDisposable {
  readonly #process: Deno.ChildProcess;
  readonly #lines: AsyncGenerator<string>;
  readonly #input: WritableStreamDefaultWriter<Uint8Array>;

  constructor(process: Deno.ChildProcess) {
    this.#process = process;
    this.#lines = lines(process.stdout);
    this.#input = process.stdin.getWriter();
  }

  /** Starts a process that may have as many connections as the system lets it have. */
  static start(...args: readonly string[]): Promise<Peer> {
    const script = new URL(import.meta.resolve("./streams_peer.ts")).pathname;
    const process = new Deno.Command("sh", {
      args: [
        "-c",
        'ulimit -n $(ulimit -H -n) 2>/dev/null; exec "$0" "$@"',
        Deno.execPath(),
        "run",
        "-A",
        "--no-prompt",
        script,
        ...args,
      ],
      stdin: "piped",
      stdout: "piped",
      stderr: "inherit",
    }).spawn();
    return Promise.resolve(new Peer(process));
  }

  /** The next line that the process prints. */
  async next(): Promise<string> {
    const { value, done } = await this.#lines.next();
    if (done) throw new Error("the process has ended");
    return value;
  }

  /** Resident memory once garbage has had the time to be collected. */
  async settledMegabytes(): Promise<number> {
    let least = Infinity;
    for (let look = 0; look < 10; look++) {
      await new Promise((resolve) => setTimeout(resolve, 200));
      await this.#input.write(new TextEncoder().encode("\n"));
      least = Math.min(least, Number(await this.next()) / 1e6);
    }
    return least;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    try {
      this.#process.kill("SIGKILL");
    } catch {
      // It has ended.
    }
    await this.#process.status;
    await this.#input.close().catch(() => {});
  }
}
