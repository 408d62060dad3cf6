// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { HALVES } from "./bare.ts";
import type { Figure } from "./figures.ts";
import { startRpcPeers } from "./peers/rpc_peers.ts";
import { RpcSide } from "./rpc_side.ts";
import { Turns } from "./turns.ts";

/** Rounds of each load; the sides take turns, so that a noisy minute hits all. */
const ROUNDS = 5;

/** Milliseconds of each round. */
const DURATION = 1_000;

/** The same for {@linkcode benchDelivery}, whose sides differ less. */
const DELIVERY_ROUNDS = 9;

const DELIVERY_DURATION = 300;

const LOADS = [1, 50, 200];

/** RPC echo over a broker, server and client in two processes, beside bare amqplib and other frameworks. */
export async function benchRpc(broker: string): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  const sides = await startSides(["bare", "enoki", "bare-transient", "transient"], broker, stack);
  const peers = await startRpcPeers(stack, broker);
  console.log(
    `RPC echo over RabbitMQ, ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, medians; ratio of Enoki's calls/s to bare amqplib with the same guarantees, and to other frameworks`,
  );
  console.log("in flight   delivery     side                         calls/s    p50 ms    p99 ms    ratio");
  for (const peer of peers) sides.set(peer.name, peer.side);
  await warmUp(sides);
  const figures: Figure[] = [];
  for (const inFlight of LOADS) {
    const turns = await measure(sides, inFlight, ROUNDS, DURATION);
    for (const [delivery, bare, enoki] of DELIVERIES) {
      const others = peers.filter((peer) => peer.delivery === delivery).map(({ name }) => name);
      for (
        const [name, kind] of [
          ["bare", bare],
          ["enoki", enoki],
          ...others.map((name) => [name, name] as const),
        ] as const
      ) {
        const ratio = kind === enoki ? "" : turns.ratio(enoki, kind, "rate").toFixed(2);
        console.log(
          `${String(inFlight).padStart(9)}   ${delivery.padEnd(12)} ${name.padEnd(24)} ${
            turns.of(kind, "rate").toFixed(0).padStart(11)
          } ${turns.of(kind, "p50").toFixed(2).padStart(9)} ${turns.of(kind, "p99").toFixed(2).padStart(9)} ${
            ratio.padStart(8)
          }`.trimEnd(),
        );
      }
      figures.push(
        ...turns.figures(`${inFlight} in flight, ${delivery}`, "calls/s", { enoki, bare, peers: others }),
      );
    }
  }
  return figures;
}

const DELIVERIES = [["persistent", "bare", "enoki"], ["transient", "bare-transient", "transient"]] as const;

/** What each guarantee of a call costs: the same echo on bare amqplib, with all of them but one. */
export async function benchDelivery(broker: string): Promise<readonly Figure[]> {
  await using stack = new AsyncDisposableStack();
  console.log(
    `\nGuarantees of RPC on bare amqplib, ${DELIVERY_ROUNDS} rounds of ${
      DELIVERY_DURATION / 1_000
    } s, medians of calls/s, with the ratio to all guarantees`,
  );
  console.log(
    `guarantees                       ${LOADS.map((load) => `${load} in flight`.padStart(19)).join("")}`,
  );
  const kinds = ["bare", ...Object.keys(HALVES), "bare-transient", "bare-without-all"];
  const sides = await startSides(kinds, broker, stack);
  await warmUp(sides);
  const rows = new Map(kinds.map((kind) => [kind, kind.padEnd(33)]));
  for (const inFlight of LOADS) {
    const turns = await measure(sides, inFlight, DELIVERY_ROUNDS, DELIVERY_DURATION);
    for (const kind of kinds) {
      const [rate, ratio] = [turns.of(kind, "rate"), turns.ratio(kind, "bare", "rate")];
      rows.set(kind, `${rows.get(kind)}${rate.toFixed(0).padStart(13)}${ratio.toFixed(2).padStart(6)}`);
    }
  }
  for (const row of rows.values()) console.log(row);
  // Enoki is not among what was measured.
  return [];
}

/** Starts a side of each kind, each with a server and a client of its own. */
export async function startSides(
  kinds: readonly string[],
  broker: string,
  stack: AsyncDisposableStack,
): Promise<Map<string, RpcSide>> {
  const sides = new Map<string, RpcSide>();
  for (const kind of kinds) sides.set(kind, stack.use(await RpcSide.start(kind, broker)));
  return sides;
}

/** Loads each side for a while. */
export async function warmUp(sides: ReadonlyMap<string, RpcSide>): Promise<void> {
  for (const side of sides.values()) await side.load(50, 1_500);
}

/** Measures all sides in turns. */
export function measure(
  sides: ReadonlyMap<string, RpcSide>,
  inFlight: number,
  rounds: number,
  duration: number,
): Promise<Turns> {
  const loads = [...sides].map(([name, side]) =>
    [name, (milliseconds: number) => side.load(inFlight, milliseconds)] as const
  );
  return Turns.measure(new Map(loads), rounds, duration);
}
