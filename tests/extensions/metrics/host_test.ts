/** What a thread can tell of its metrics that Enoki's own half would not. */
import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { createMetricsHalf } from "../../../extensions/metrics/host.ts";
import { Metrics } from "../../../runtime/telemetry/metrics.ts";

const COUNTER = { name: "a_total", kind: "counter", help: "A.", labels: ["x"], series: [[["1"], 2]] };

function tell(metrics: Metrics, batch: unknown, service = "s"): unknown {
  const text = typeof batch === "string" ? batch : JSON.stringify(batch);
  return JSON.parse(String(createMetricsHalf({ service, metrics }).answer!(text)));
}

const MALFORMED: Readonly<Record<string, unknown>> = {
  "no JSON": "{",
  "no list": {},
  "a metric that is no object": [1],
  "a name that is no text": [{ ...COUNTER, name: 1 }],
  "no such kind": [{ ...COUNTER, kind: "summary" }],
  "labels that are no texts": [{ ...COUNTER, labels: [1] }],
  "more labels than names": [{ ...COUNTER, series: [[["1", "2"], 2]] }],
  "fewer labels than names": [{ ...COUNTER, series: [[[], 2]] }],
  "a label that is too long": [{ ...COUNTER, series: [[["x".repeat(201)], 2]] }],
  "a change that is no number": [{ ...COUNTER, series: [[["1"], "2"]] }],
  "a change that is no finite number": JSON.stringify([COUNTER]).replace("2]", "1e999]"),
  "values where a number belongs": [{ ...COUNTER, series: [[["1"], [2]]] }],
  "a number where values belong": [{ ...COUNTER, kind: "histogram" }],
  "a series with too much": [{ ...COUNTER, series: [[["1"], 2, 3, 4]] }],
  "too many metrics": Array.from({ length: 101 }, () => COUNTER),
  "too many series": [{ ...COUNTER, series: Array.from({ length: 1_002 }, (_, x) => [[String(x)], 1]) }],
  "too many values": [{ ...COUNTER, kind: "histogram", series: [[["1"], new Array(10_001).fill(1)]] }],
  "buckets that are no numbers": [{ ...COUNTER, kind: "histogram", buckets: ["1"], series: [] }],
  "a text that is too long": `[${" ".repeat(5_000_000)}]`,
};

Deno.test("a batch out of form is refused, and changes nothing", () => {
  const metrics = new Metrics();
  for (const [what, batch] of Object.entries(MALFORMED)) {
    throws(() => tell(metrics, batch), /^TypeError: Cannot take changes of metrics: /, what);
  }
  deepStrictEqual(metrics.collect(), []);
});

Deno.test("a metric that cannot be is refused alone, and its thread is told why", () => {
  const metrics = new Metrics();
  metrics.gauge("gauge", { help: "G." });
  deepStrictEqual(
    tell(metrics, [
      { ...COUNTER, name: "enoki_calls_total" },
      { ...COUNTER, name: "a b" },
      { ...COUNTER, labels: ["service"] },
      { ...COUNTER, name: "gauge" },
      COUNTER,
    ]),
    [
      ["enoki_calls_total", "names that begin with enoki_ are those of Enoki. Choose another name"],
      ["a b", "its name is no name. Use up to 200 letters, digits and underscores, no digit first"],
      ["a_total", 'its label "service" has a meaning already. Choose another name'],
      [
        "gauge",
        'Cannot make the counter "gauge": there is a gauge of that name with the labels []. Choose another name',
      ],
    ],
  );
  const [, counter] = metrics.collect();
  deepStrictEqual(
    [...counter!.series].map(({ labels, value }) => [labels, (value as { value: number }).value]),
    [
      [["s", "1"], 2],
    ],
  );
});

Deno.test("a counter never goes down, and a gauge takes what was set before what was added", () => {
  const metrics = new Metrics();
  tell(metrics, [COUNTER, { ...COUNTER, name: "g", kind: "gauge", series: [[["1"], 2, 40]] }]);
  tell(metrics, [{ ...COUNTER, series: [[["1"], -5]] }, {
    ...COUNTER,
    name: "g",
    kind: "gauge",
    series: [[["1"], -1]],
  }]);
  deepStrictEqual(
    metrics.collect().map(({ series }) => [...series].map(({ value }) => (value as { value: number }).value)),
    [[2], [41]],
  );
});

Deno.test("two services have a metric in common, each in series of its own", () => {
  const metrics = new Metrics();
  tell(metrics, [COUNTER], "s");
  tell(metrics, [COUNTER], "t");
  strictEqual([...metrics.collect()[0]!.series].length, 2);
});
