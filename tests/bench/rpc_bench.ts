// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import { HALVES } from "./bare.ts";
import type { Measurement } from "./load.ts";
import { median } from "./median.ts";
import { RpcSide } from "./rpc_side.ts";

/** Rounds of each load; the sides take turns, so that a noisy minute hits all. */
const ROUNDS = 5;

/** Milliseconds of each round. */
const DURATION = 1_000;

/** The same for {@linkcode benchDelivery}, whose sides differ less. */
const DELIVERY_ROUNDS = 9;

const DELIVERY_DURATION = 300;

const LOADS = [1, 50, 200];

/** RPC echo over a broker, server and client in two processes, beside bare amqplib with the same guarantees. */
export async function benchRpc(broker: string): Promise<void> {
  console.log(
    `RPC echo over RabbitMQ, ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, medians; ratio of calls/s to bare amqplib with the same guarantees`,
  );
  console.log("in flight   delivery     side     calls/s    p50 ms    p99 ms    ratio");
  await using sides = await Sides.start(["bare", "enoki", "bare-transient", "transient"], broker);
  for (const inFlight of LOADS) {
    const rounds = await sides.measure(inFlight, ROUNDS, DURATION);
    for (const [delivery, bare, enoki] of DELIVERIES) {
      for (const [side, kind] of [["bare", bare], ["enoki", enoki]] as const) {
        const ratio = kind === bare ? "" : ratioOf(rounds, kind, bare).toFixed(2);
        const of = (key: keyof Measurement) => median(rounds.map((round) => round[kind]![key]));
        console.log(
          `${String(inFlight).padStart(9)}   ${delivery.padEnd(12)} ${side.padEnd(6)} ${
            of("rate").toFixed(0).padStart(9)
          } ${of("p50").toFixed(2).padStart(9)} ${of("p99").toFixed(2).padStart(9)} ${ratio.padStart(8)}`,
        );
      }
    }
  }
}

const DELIVERIES = [["persistent", "bare", "enoki"], ["transient", "bare-transient", "transient"]] as const;

/** What each guarantee of a call costs: the same echo on bare amqplib, with all of them but one. */
export async function benchDelivery(broker: string): Promise<void> {
  console.log(
    `\nGuarantees of RPC on bare amqplib, ${DELIVERY_ROUNDS} rounds of ${
      DELIVERY_DURATION / 1_000
    } s, medians of calls/s, with the ratio to all guarantees`,
  );
  console.log(
    `guarantees                       ${LOADS.map((load) => `${load} in flight`.padStart(19)).join("")}`,
  );
  const kinds = ["bare", ...Object.keys(HALVES), "bare-transient", "bare-without-all"];
  await using sides = await Sides.start(kinds, broker);
  const rows = new Map(kinds.map((kind) => [kind, kind.padEnd(33)]));
  for (const inFlight of LOADS) {
    const rounds = await sides.measure(inFlight, DELIVERY_ROUNDS, DELIVERY_DURATION);
    for (const kind of kinds) {
      const rate = median(rounds.map((round) => round[kind]!.rate)).toFixed(0);
      const ratio = ratioOf(rounds, kind, "bare").toFixed(2);
      rows.set(kind, `${rows.get(kind)}${rate.padStart(13)}${ratio.padStart(6)}`);
    }
  }
  for (const row of rows.values()) console.log(row);
}

type Round = Readonly<Record<string, Measurement>>;

/** Servers and clients of several kinds, which are measured in turns. */
class Sides implements AsyncDisposable {
  readonly #sides: ReadonlyMap<string, RpcSide>;

  constructor(sides: ReadonlyMap<string, RpcSide>) {
    this.#sides = sides;
  }

  static async start(kinds: readonly string[], broker: string): Promise<Sides> {
    const sides = new Map<string, RpcSide>();
    for (const kind of kinds) sides.set(kind, await RpcSide.start(kind, broker));
    for (const side of sides.values()) await side.load(50, 1_500);
    return new Sides(sides);
  }

  async measure(inFlight: number, count: number, duration: number): Promise<readonly Round[]> {
    const rounds: Round[] = [];
    const sides = [...this.#sides];
    while (rounds.length < count) {
      const measured: Record<string, Measurement> = {};
      // Each side has its turn before any other as often as after it.
      for (const [kind, side] of sides.reverse()) measured[kind] = await side.load(inFlight, duration);
      rounds.push(measured);
    }
    return rounds;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await Promise.all([...this.#sides.values()].map((side) => side[Symbol.asyncDispose]()));
  }
}

function ratioOf(rounds: readonly Round[], kind: string, base: string): number {
  return median(rounds.map((round) => round[kind]!.rate / round[base]!.rate));
}
