// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { connect } from "../../extensions/run.ts";
import type { Figure } from "./figures.ts";
import { median } from "./median.ts";
import { CAPACITY, PATIENCE, type patient, type refusing, TAKES } from "./overload_services.ts";
import { PortPeer } from "./port_peer.ts";

/** Rounds; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 3;

/** Milliseconds of each side in each round. */
const DURATION = 6_000;

/** How many times what the service can do is asked of it. */
const LOADS = [0.5, 3];

type Call = () => Promise<boolean>;

/**
 * What a service that is asked too much still answers in time, in calls per second: one that refuses the calls
 * that cannot be answered in time, beside one that runs them.
 */
export async function benchOverload(broker: string): Promise<readonly Figure[]> {
  console.log(
    `\nOverload: calls of ${TAKES} ms whose callers wait ${PATIENCE} ms, a service that can run ${CAPACITY} in a ` +
      `second; ${ROUNDS} rounds of ${DURATION / 1_000} s, medians of answers in time per second`,
  );
  await using peer = await PortPeer.start("./overload_peer.ts", broker);
  await using cluster = await connect({ broker });
  const timeout = PATIENCE;
  const kinds: Readonly<Record<string, { readonly running: Call; readonly refusing: Call }>> = {
    RPC: {
      running: answered(() => cluster.client<typeof patient>("bench_patient").work.with({ timeout })()),
      refusing: answered(() => cluster.client<typeof refusing>("bench_refusing").work.with({ timeout })()),
    },
    HTTP: {
      running: answered(() => fetched(`http://127.0.0.1:${peer.port}/patient`)),
      refusing: answered(() => fetched(`http://127.0.0.1:${peer.port}/refusing`)),
    },
  };
  console.log("kind   asked/s   running/s   refusing/s");
  const figures: Figure[] = [];
  for (const [kind, { running, refusing }] of Object.entries(kinds)) {
    for (const load of LOADS) {
      const rounds: { readonly running: number; readonly refusing: number }[] = [];
      for (let round = 0; round < ROUNDS; round++) {
        rounds.push({
          running: await goodput(running, load * CAPACITY),
          refusing: await goodput(refusing, load * CAPACITY),
        });
      }
      const asked = load * CAPACITY;
      const ran = median(rounds.map(({ running }) => running));
      const refused = median(rounds.map(({ refusing }) => refusing));
      const shown = [asked, ran, refused].map((number, column) =>
        number.toFixed(1).padStart([9, 11, 12][column]!)
      );
      console.log(`${kind.padEnd(5)}${shown.join(" ")}`);
      figures.push({
        name: `${kind}, ${asked} asked a second, refusing`,
        unit: "answers in time/s",
        enoki: refused,
        peers: { running: ran },
      });
    }
  }
  return figures;
}

/** Asks `rate` times in a second, whether there are answers or not, and counts the answers in time per second. */
async function goodput(call: Call, rate: number): Promise<number> {
  let good = 0;
  const calls: Promise<void>[] = [];
  const start = performance.now();
  for (let sent = 0; sent < rate * DURATION / 1_000; sent++) {
    const wait = start + sent * 1_000 / rate - performance.now();
    if (wait > 0) await new Promise((resolve) => setTimeout(resolve, wait));
    calls.push(call().then((inTime) => void (good += inTime ? 1 : 0)));
  }
  await Promise.all(calls);
  return good / (DURATION / 1_000);
}

function answered(ask: () => Promise<unknown>): Call {
  return async () => {
    const start = performance.now();
    try {
      await ask();
      return performance.now() - start <= PATIENCE;
    } catch {
      return false;
    }
  };
}

async function fetched(url: string): Promise<void> {
  const response = await fetch(url);
  await response.text();
  if (!response.ok) throw new Error(`Cannot fetch ${url}: status ${response.status}`);
}
