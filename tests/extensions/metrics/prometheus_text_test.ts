import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { prometheusText } from "../../../extensions/metrics/prometheus_text.ts";
import { Metrics } from "../../../runtime/telemetry/metrics.ts";
import { parsePrometheus, valueOf } from "../../fixtures/prometheus_parser.ts";

Deno.test("prometheusText() writes each kind of metric as Prometheus reads it", () => {
  const metrics = new Metrics();
  metrics.counter("shots_total", { help: "Shots.", labels: ["by"] }).with("a").add(2);
  metrics.gauge("height", { help: "Height." }).with().set(-1.5e-9);
  const times = metrics.histogram("time_seconds", { help: "Time.", labels: ["by"], buckets: [0.5, 1] });
  for (const value of [0.1, 0.7, 9]) times.with("a").record(value);
  strictEqual(
    prometheusText(metrics.collect()),
    `# HELP shots_total Shots.
# TYPE shots_total counter
shots_total{by="a"} 2
# HELP height Height.
# TYPE height gauge
height -1.5e-9
# HELP time_seconds Time.
# TYPE time_seconds histogram
time_seconds_bucket{by="a",le="0.5"} 1
time_seconds_bucket{by="a",le="1"} 2
time_seconds_bucket{by="a",le="+Inf"} 3
time_seconds_sum{by="a"} 9.8
time_seconds_count{by="a"} 3
`,
  );
});

Deno.test("prometheusText() writes any help, any label and any number so that they are read back", () => {
  const metrics = new Metrics();
  const odd = ['"', "\\", "\n", "\\n", '\\"', "a,b", "}", "é\u{1f600}", "", "\r"];
  const gauge = metrics.gauge("odd", { help: odd.join(""), labels: ["x"] });
  const numbers = [Infinity, -Infinity, NaN, 1e21, -0, 5e-324, 0.1, 1e300, 2 ** 53, -7];
  for (const [index, label] of odd.entries()) gauge.with(label).set(numbers[index]!);
  const read = parsePrometheus(prometheusText(metrics.collect()));
  strictEqual(read.get("odd")?.help, odd.join(""));
  deepStrictEqual(odd.map((x) => valueOf(read, "odd", { x })), numbers.map((value) => value + 0));
});

Deno.test("prometheusText() leaves out a metric without series", () => {
  const metrics = new Metrics();
  metrics.counter("none_total", { help: "None.", labels: ["x"] });
  strictEqual(prometheusText(metrics.collect()), "");
});
