// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Measurement } from "./load.ts";
import { median } from "./median.ts";
import { RpcSide } from "./rpc_side.ts";

/** Rounds of each load; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 3;

/** Milliseconds of each round. */
const DURATION = 3_000;

/** RPC echo over a broker, server and client in two processes, beside bare amqplib. */
export async function benchRpc(broker: string): Promise<void> {
  console.log(
    `RPC echo over RabbitMQ, ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, medians; ratio of calls/s to bare amqplib`,
  );
  console.log("in flight   side     calls/s    p50 ms    p99 ms    ratio");
  await using enoki = await RpcSide.start("enoki", broker);
  await using bare = await RpcSide.start("bare", broker);
  for (const side of [bare, enoki]) await side.load(50, 1_500);
  for (const inFlight of [1, 50, 200]) {
    const rounds: { readonly bare: Measurement; readonly enoki: Measurement }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({ bare: await bare.load(inFlight, DURATION), enoki: await enoki.load(inFlight, DURATION) });
    }
    const ratio = median(rounds.map(({ bare, enoki }) => enoki.rate / bare.rate));
    for (const name of ["bare", "enoki"] as const) {
      const of = (key: keyof Measurement) => median(rounds.map((round) => round[name][key]));
      console.log(
        `${String(inFlight).padStart(9)}   ${name.padEnd(6)} ${of("rate").toFixed(0).padStart(9)} ${
          of("p50").toFixed(2).padStart(9)
        } ${of("p99").toFixed(2).padStart(9)} ${name === "enoki" ? ratio.toFixed(2).padStart(8) : ""}`,
      );
    }
  }
}
