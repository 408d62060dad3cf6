// deno-lint-ignore-file no-console -- a benchmark prints what it measured
import type { Figure } from "./figures.ts";
import type { Measurement } from "./load.ts";
import { median } from "./median.ts";
import { RpcSide } from "./rpc_side.ts";

/** Rounds of each load; the two sides take turns, so that a noisy minute hits both. */
const ROUNDS = 5;

/** Milliseconds of each round. */
const DURATION = 3_000;

/** RPC echo, with a span of OpenTelemetry for each call on both sides, beside the same without. */
export async function benchOtel(broker: string): Promise<readonly Figure[]> {
  console.log(
    `RPC echo over RabbitMQ with two spans for each call, ${ROUNDS} rounds of ${
      DURATION / 1_000
    } s, medians; ratio of calls/s to those without spans`,
  );
  console.log("in flight   side       calls/s    p50 ms    p99 ms    ratio");
  await using collector = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
    await request.body?.pipeTo(new WritableStream());
    return new Response();
  });
  await using plain = await RpcSide.start("enoki", broker);
  await using traced = await RpcSide.start("traced", broker, {
    OTEL_DENO: "true",
    OTEL_EXPORTER_OTLP_ENDPOINT: `http://127.0.0.1:${collector.addr.port}`,
  });
  for (const side of [plain, traced]) await side.load(50, 1_500);
  const figures: Figure[] = [];
  for (const inFlight of [1, 50]) {
    const rounds: { readonly plain: Measurement; readonly traced: Measurement }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      rounds.push({
        plain: await plain.load(inFlight, DURATION),
        traced: await traced.load(inFlight, DURATION),
      });
    }
    const ratio = median(rounds.map(({ plain, traced }) => traced.rate / plain.rate));
    for (const name of ["plain", "traced"] as const) {
      const of = (key: keyof Measurement) => median(rounds.map((round) => round[name][key]));
      console.log(
        `${String(inFlight).padStart(9)}   ${name.padEnd(8)} ${of("rate").toFixed(0).padStart(9)} ${
          of("p50").toFixed(2).padStart(9)
        } ${of("p99").toFixed(2).padStart(9)} ${name === "traced" ? ratio.toFixed(2).padStart(8) : ""}`,
      );
    }
    figures.push({
      name: `${inFlight} in flight, with spans`,
      unit: "calls/s",
      enoki: median(rounds.map(({ traced }) => traced.rate)),
      ratio,
      peers: { "without spans": median(rounds.map(({ plain }) => plain.rate)) },
    });
  }
  return figures;
}
