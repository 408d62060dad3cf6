// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import { PortPeer } from "./port_peer.ts";
import { type Side, Turns } from "./turns.ts";
import { hasWrk, wrkLoad } from "./wrk.ts";

/** Rounds; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 5;

/** Milliseconds of each side in each round. */
const DURATION = 2_000;

const CONNECTIONS = 64;

const ASKED = { method: "GET", path: "/number" };

/** How much of a machine the servers get. */
interface Circumstance {
  readonly name: string;
  /** What starts a server so. */
  readonly prefix: readonly string[];
  /** How many programs spin beside the servers. */
  readonly spinning: number;
}

const CIRCUMSTANCES: readonly Circumstance[] = [
  { name: "one core", prefix: ["taskset", "--cpu-list", "0"], spinning: 0 },
  { name: "busy cores", prefix: ["env"], spinning: navigator.hardwareConcurrency },
];

/** Requests to a service and to a minimal `Deno.serve` where processor time is short. Linux, with wrk and taskset. */
export async function benchContention(): Promise<readonly Figure[]> {
  console.log(
    `\nHTTP where processor time is short, ${CONNECTIONS} connections; ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, ` +
      "medians. busy cores: as many programs spin as there are cores",
  );
  if (!await hasWrk()) {
    console.log("It is left out: wrk is not installed");
    return [];
  }
  console.log("case          minimal/s    enoki/s   ratio   p99 ms   p99 ms");
  const figures: Figure[] = [];
  for (const { name, prefix, spinning } of CIRCUMSTANCES) {
    await using minimal = await startPeer(prefix, "minimal");
    await using enoki = await startPeer(prefix, "enoki");
    await using _programs = spin(spinning);
    const side = (peer: PortPeer): Side => (duration) => wrkLoad(peer.port, ASKED, CONNECTIONS, duration);
    const sides = new Map([["minimal", side(minimal)], ["enoki", side(enoki)]]);
    for (const each of sides.values()) await each(DURATION);
    const turns = await Turns.measure(sides, ROUNDS, DURATION);
    const shown = [
      turns.of("minimal", "rate").toFixed(0).padStart(9),
      turns.of("enoki", "rate").toFixed(0).padStart(10),
      turns.ratio("enoki", "minimal", "rate").toFixed(2).padStart(7),
      turns.of("minimal", "p99").toFixed(1).padStart(8),
      turns.of("enoki", "p99").toFixed(1).padStart(8),
    ];
    console.log(`${name.padEnd(13)} ${shown.join(" ")}`);
    figures.push(...turns.figures(name, "requests/s", { enoki: "enoki", bare: "minimal" }));
  }
  return figures;
}

function startPeer(prefix: readonly string[], kind: string): Promise<PortPeer> {
  const [program, ...args] = prefix;
  const script = new URL(import.meta.resolve("./http_peer.ts")).pathname;
  return PortPeer.run(program!, ...args, Deno.execPath(), "run", "-A", "--no-prompt", script, kind);
}

function spin(count: number): AsyncDisposable {
  const programs = Array.from(
    { length: count },
    () => new Deno.Command("sh", { args: ["-c", "while :; do :; done"] }).spawn(),
  );
  return {
    async [Symbol.asyncDispose]() {
      for (const program of programs) program.kill("SIGKILL");
      await Promise.all(programs.map(({ status }) => status));
    },
  };
}
