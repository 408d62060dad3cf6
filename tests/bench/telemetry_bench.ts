// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import { httpLoad } from "./http_load.ts";
import { median } from "./median.ts";
import { PortPeer } from "./port_peer.ts";
import { RpcSide } from "./rpc_side.ts";
import { hasWrk, wrkLoad } from "./wrk.ts";

/** Rounds; the two sides take turns within a round, so that a noisy moment hits both. */
const ROUNDS = 10;

/** Milliseconds of each side in each round. */
const DURATION = 1_000;

/** The least part of the rate without telemetry that is to be left with it. */
const FLOOR = 0.95;

/** The same for a line of the log about each request. */
const LOGGED_FLOOR = 0.6;

const IN_FLIGHT = 50;
const CONNECTIONS = 64;

/**
 * What telemetry costs: the rates of calls and of requests with it, beside those with `telemetry: false`; and the rate
 * of requests with a line of the log about each, beside that without.
 */
export async function benchTelemetry(broker: string): Promise<readonly Figure[]> {
  console.log(
    `\nTelemetry on, beside telemetry: false, and the log at level info, beside warning; ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s each, medians`,
  );
  console.log("load            off/s      on/s   ratio  floor");
  const figures: Figure[] = [];
  {
    await using off = await RpcSide.start("untold", broker);
    await using on = await RpcSide.start("enoki", broker);
    const rate = async (side: RpcSide) => (await side.load(IN_FLIGHT, DURATION)).rate;
    figures.push(await compare("RPC", "telemetry", FLOOR, () => rate(off), () => rate(on)));
  }
  const load = await hasWrk() ? wrkLoad : httpLoad;
  await using off = await PortPeer.start("./http_peer.ts", "untold");
  await using on = await PortPeer.start("./http_peer.ts", "enoki");
  await using logged = await PortPeer.startUnseen("./http_peer.ts", "logged");
  const rate = async ({ port }: PortPeer) =>
    (await load(port, { method: "GET", path: "/hello/7" }, CONNECTIONS, DURATION)).rate;
  return [
    ...figures,
    await compare("HTTP", "telemetry", FLOOR, () => rate(off), () => rate(on)),
    await compare("HTTP", "lines", LOGGED_FLOOR, () => rate(on), () => rate(logged)),
  ];
}

async function compare(
  load: string,
  what: string,
  floor: number,
  off: () => Promise<number>,
  on: () => Promise<number>,
): Promise<Figure> {
  await off();
  await on();
  const rounds: { readonly off: number; readonly on: number }[] = [];
  for (let round = 0; round < ROUNDS; round++) {
    // Each side is the first in every other round.
    const first = await (round % 2 === 0 ? off : on)();
    const second = await (round % 2 === 0 ? on : off)();
    rounds.push(round % 2 === 0 ? { off: first, on: second } : { off: second, on: first });
  }
  const ratio = median(rounds.map(({ off, on }) => on / off));
  const [without, withIt] = [median(rounds.map(({ off }) => off)), median(rounds.map(({ on }) => on))];
  console.log(
    `${load.padEnd(4)} ${what.padEnd(9)} ${without.toFixed(0).padStart(6)} ${withIt.toFixed(0).padStart(9)} ${
      ratio.toFixed(3).padStart(7)
    } ${floor.toFixed(2).padStart(6)}${ratio < floor ? "  too slow" : ""}`,
  );
  return {
    name: `${load}, with ${what}`,
    unit: load === "RPC" ? "calls/s" : "requests/s",
    enoki: withIt,
    ratio,
    peers: { [`without ${what}`]: without },
  };
}
