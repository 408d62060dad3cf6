/** What Deno exports of the numbers of a process, to a receiver that is one. */
import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Child } from "../../fixtures/child.ts";
import { OtlpReceiver } from "../../fixtures/otlp_receiver.ts";

const PROGRAM = new URL("../../fixtures/measured_program.ts", import.meta.url).pathname;

Deno.test("with OTEL_DENO, OpenTelemetry gets all numbers of a process to its end", async () => {
  await using receiver = new OtlpReceiver();
  await using program = new Child(Deno.execPath(), ["run", "-A", "--no-lock", PROGRAM], {
    env: receiver.environment,
  });
  const { code, err } = await program.ended();
  strictEqual(code, 0, err);
  const service = "enoki_test_measuring";
  const pointsOf = (name: string, method: string) =>
    receiver.metrics.get(name)!.filter(({ attributes }) => attributes["method"] === method);
  const ok = pointsOf("enoki_calls_total", "order").find(({ attributes }) => attributes["outcome"] === "ok")!;
  deepStrictEqual([ok.value, ok.attributes["service"], ok.attributes["kind"]], [2, service, "rpc"]);
  const [durations] = pointsOf("enoki_call_duration_seconds", "order");
  strictEqual(durations!.count, 2);
  strictEqual(durations!.bounds!.at(-1), 60);
  strictEqual(receiver.units.get("enoki_call_duration_seconds"), "s");
  const [items] = receiver.metrics.get("order_items")!;
  deepStrictEqual([items!.count, items!.sum, items!.buckets, items!.bounds], [2, 8, [0, 2, 0], [1, 10]]);
  deepStrictEqual(
    receiver.metrics.get("orders_placed_total")!.map(({ attributes, value }) => [attributes["card"], value])
      .sort(),
    [["cash", 1], ["visa", 1]],
  );
  deepStrictEqual(receiver.metrics.get("latest_order_items")!.map(({ value }) => value), [5]);
  deepStrictEqual(receiver.metrics.get("open_orders")!.map(({ value }) => value), [2]);
});
