// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { httpLoad } from "./http_load.ts";
import { PAYLOAD } from "./load.ts";
import { median } from "./median.ts";
import { PortPeer } from "./port_peer.ts";
import { hasWrk, wrkLoad } from "./wrk.ts";

/** Rounds; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 5;

/** Milliseconds of each side in each round. */
const DURATION = 2_000;

const CONNECTIONS = 64;

const BODY = JSON.stringify(PAYLOAD);

/** What is asked, and the least part of a bare server's rate that it must reach. */
const CASES = [
  { name: "plain", floor: 0.45, asked: { method: "GET", path: "/hello/7" } },
  { name: "JSON", floor: 0.35, asked: { method: "POST", path: "/orders", body: BODY } },
];

/** Requests to a service, beside the same by a bare `Deno.serve`, each in a process of its own. */
export async function benchHttp(): Promise<void> {
  const [load, client] = await hasWrk() ? [wrkLoad, "wrk"] : [httpLoad, "a client in Deno"];
  console.log(
    `\nHTTP, ${client} with ${CONNECTIONS} connections; ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, medians; ` +
      "ratio to a bare Deno.serve that sends the same responses",
  );
  await using bare = await PortPeer.start("./http_peer.ts", "bare");
  await using enoki = await PortPeer.start("./http_peer.ts", "enoki");
  console.log("case   bare/s  enoki/s   ratio  floor");
  for (const { name, asked, floor } of CASES) {
    const rounds: { readonly bare: number; readonly enoki: number }[] = [];
    for (const { port } of [bare, enoki]) await load(port, asked, CONNECTIONS, DURATION / 2);
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        bare: await load(bare.port, asked, CONNECTIONS, DURATION),
        enoki: await load(enoki.port, asked, CONNECTIONS, DURATION),
      });
    }
    const [bareRate, enokiRate, ratio] = [
      median(rounds.map(({ bare }) => bare)),
      median(rounds.map(({ enoki }) => enoki)),
      median(rounds.map(({ bare, enoki }) => enoki / bare)),
    ];
    console.log(
      `${name.padEnd(5)} ${bareRate.toFixed(0).padStart(7)} ${enokiRate.toFixed(0).padStart(8)} ${
        ratio.toFixed(2).padStart(7)
      } ${floor.toFixed(2).padStart(6)}${ratio < floor ? "  too slow" : ""}`,
    );
  }
}
