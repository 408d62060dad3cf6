// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import { type HttpCase, httpLoad } from "./http_load.ts";
import { PAYLOAD } from "./load.ts";
import { startHttpPeers } from "./peers/http_peers.ts";
import { PortPeer } from "./port_peer.ts";
import { Turns } from "./turns.ts";
import { hasWrk, wrkLoad } from "./wrk.ts";

/** Rounds; the sides take turns, so that a noisy minute hits all. */
const ROUNDS = 5;

/** Milliseconds of each side in each round. */
const DURATION = 2_000;

/** Connections with one request at a time each. */
export const CONNECTIONS = 64;

/** How this tree is called among the sides. */
const ENOKI = "Enoki";

/** The times of the minimal server's 99th percentile that Enoki's may be. */
const MOST_P99 = 4;

/** What is asked for. */
interface Case {
  readonly name: string;
  /** What the chart calls it. */
  readonly title: string;
  readonly asked: HttpCase;
  /** The least parts of the rates of other sides that Enoki must reach, by the first words of their names. */
  readonly floors: Readonly<Record<string, number>>;
}

/** What Enoki is asked for, and a server on `Deno.serve` that sends the same responses. */
export const HTTP_CASES: readonly Case[] = [
  {
    name: "plain",
    title: "GET of a text",
    asked: { method: "GET", path: "/hello/7" },
    floors: { bare: 0.45 },
  },
  {
    name: "JSON",
    title: "POST of JSON that a schema checks",
    asked: { method: "POST", path: "/orders", body: JSON.stringify(PAYLOAD) },
    floors: { bare: 0.35 },
  },
];

/** What all others are asked for, too. */
export const NUMBER: Case = {
  name: "number",
  title: "GET of a number as JSON",
  asked: { method: "GET", path: "/number" },
  floors: { minimal: 0.35, Fastify: 0.9 },
};

/** Requests to a service, beside the same to other servers, each in a process of its own. */
export async function benchHttp(): Promise<readonly Figure[]> {
  const [load, client] = await hasWrk() ? [wrkLoad, "wrk"] : [httpLoad, "a client in Deno"];
  await using stack = new AsyncDisposableStack();
  const start = async (kind: string) => stack.use(await PortPeer.start("./http_peer.ts", kind));
  const own = new Map([[ENOKI, await start("enoki")], ["bare", await start("bare")]]);
  const all = new Map([...own, ["minimal", await start("minimal")], ...await startHttpPeers(stack)]);
  console.log(
    `\nHTTP, ${client} with ${CONNECTIONS} connections; ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, medians. ` +
      "bare is a Deno.serve that sends the same responses, minimal one that sends Response.json(7)",
  );
  console.log("case    side                             requests/s   p50 ms   p99 ms  Enoki to it  floor");
  const figures: Figure[] = [];
  const cases = [...HTTP_CASES.map((asked) => ({ ...asked, peers: own })), { ...NUMBER, peers: all }];
  for (const { name, title, asked, floors, peers } of cases) {
    const sides = new Map(
      [...peers].map(([side, { port }]) =>
        [side, (duration: number) => load(port, asked, CONNECTIONS, duration)] as const
      ),
    );
    for (const side of sides.values()) await side(DURATION / 2);
    const turns = await Turns.measure(sides, ROUNDS, DURATION);
    for (const side of sides.keys()) console.log(`${name.padEnd(7)} ${line(side, turns, floors)}`);
    const others = [...sides.keys()].filter((side) => side !== ENOKI && side !== "bare");
    figures.push(...turns.figures(title, "requests/s", { enoki: ENOKI, bare: "bare", peers: others }));
    if (!peers.has("minimal")) continue;
    const slowness = turns.ratio(ENOKI, "minimal", "p99");
    console.log(
      `${name.padEnd(7)} the p99 is ${slowness.toFixed(1)} times the minimal one, at most ${MOST_P99}${
        slowness > MOST_P99 ? "  too slow" : ""
      }`,
    );
  }
  return figures;
}

function line(side: string, turns: Turns, floors: Case["floors"]): string {
  const shown = `${side.padEnd(32)} ${turns.of(side, "rate").toFixed(0).padStart(10)} ${
    turns.of(side, "p50").toFixed(2).padStart(8)
  } ${turns.of(side, "p99").toFixed(2).padStart(8)}`;
  if (side === ENOKI) return shown;
  const ratio = turns.ratio(ENOKI, side, "rate");
  const floor = floors[side.split(" ")[0]!];
  return `${shown} ${ratio.toFixed(2).padStart(12)} ${
    floor === undefined ? "" : `${floor.toFixed(2).padStart(6)}${ratio < floor ? "  too slow" : ""}`
  }`.trimEnd();
}
