import { deepStrictEqual, ok, strictEqual } from "node:assert/strict";
import { configureLogging, getLog, resetLogging } from "../../../../runtime/log/observe.ts";
import type { Counter, Gauge, Histogram } from "../../../../runtime/telemetry/metric.ts";
import { Metrics } from "../../../../runtime/telemetry/metrics.ts";
import { ProcessMetrics } from "../../../../runtime/telemetry/measuring/process_metrics.ts";

function valuesOf<Value extends Counter | Gauge | Histogram>(
  metrics: Metrics,
  name: string,
): readonly Value[] {
  const metric = metrics.collect().find((metric) => metric.name === name)!;
  return [...metric.series].map(({ value }) => value as Value);
}

Deno.test("ProcessMetrics counts the records of the log that go somewhere, from its own start on", () => {
  configureLogging({ level: "warning", write: () => {} });
  try {
    getLog().error("before");
    const metrics = new Metrics();
    using _measuring = new ProcessMetrics(metrics, getLog());
    getLog().info("unseen");
    getLog().warning("seen");
    getLog("orders").error("seen");
    deepStrictEqual(
      valuesOf<Counter>(metrics, "enoki_log_records_total").map(({ value }) => value),
      [0, 0, 1, 1],
    );
  } finally {
    resetLogging();
  }
});

Deno.test("ProcessMetrics measures memory and processor time when somebody asks", () => {
  const metrics = new Metrics();
  using _measuring = new ProcessMetrics(metrics, getLog());
  ok(valuesOf<Gauge>(metrics, "process_resident_memory_bytes")[0]!.value > 10_000_000);
  const [processor] = valuesOf<Counter>(metrics, "process_cpu_seconds_total");
  const before = processor!.value;
  while (processor!.value === before) metrics.collect();
  ok(processor!.value > before);
});

Deno.test("ProcessMetrics measures by how much the main thread was late", async () => {
  const metrics = new Metrics();
  using _measuring = new ProcessMetrics(metrics, getLog());
  const [delays] = valuesOf<Histogram>(metrics, "enoki_event_loop_delay_seconds");
  const recorded = Promise.withResolvers<number>();
  delays!.taps = [recorded.resolve];
  const end = performance.now() + 700;
  while (performance.now() < end);
  ok(await recorded.promise >= 0.15);
  strictEqual(delays!.count, 1);
});
