/** What a thread may tell of its metrics: it is taken or refused, and the page that it becomes is always one. */
import { createMetricsHalf } from "../../extensions/metrics/host.ts";
import { prometheusText } from "../../extensions/metrics/prometheus_text.ts";
import { Metrics } from "../../runtime/telemetry/metrics.ts";
import { parsePrometheus } from "../fixtures/prometheus_parser.ts";
import { fuzz, INPUTS, SEED } from "./fuzzing.ts";
import { Random } from "./random.ts";

/** Nearly a batch: metrics of all kinds under odd names, now and then with anything in any place. */
function batch(random: Random): unknown {
  return Array.from({ length: random.length(5) }, () => {
    const labels = Array.from({ length: random.below(3) }, () => name(random));
    const kind = random.pick(["counter", "gauge", "histogram"] as const);
    const series = Array.from({ length: random.length(5) }, () => {
      const values = labels.map(() => random.text(150));
      const number = () => random.pick([0, 1, -1, 0.5, 1e308, -1e-308, random.below(1e9)] as const);
      if (kind === "histogram") return [values, Array.from({ length: random.length(5) }, number)];
      return random.below(2) === 0 ? [values, number()] : [values, number(), number()];
    });
    const metric: Record<string, unknown> = {
      name: name(random),
      kind,
      help: random.text(100),
      labels,
      series,
    };
    if (random.below(3) === 0) metric["buckets"] = random.pick([[1, 2], [2, 1], [], random.json(2)] as const);
    if (random.below(5) === 0) metric[random.pick(Object.keys(metric))] = random.json(3);
    return metric;
  });
}

function name(random: Random): string {
  return random.pick([
    "a_total",
    "b",
    "b_count",
    "b_sum",
    "c_seconds",
    "__proto__",
    "constructor",
    "enoki_calls_total",
    "le",
    "9a",
    random.text(30),
  ]);
}

function tell(metrics: Metrics, text: string): void {
  createMetricsHalf({ service: "s", metrics }).answer!(text);
}

fuzz([{
  name: "createMetricsHalf()",
  share: 0.25,
  feed: (random) => tell(new Metrics(), JSON.stringify(batch(random))),
  read: (text) => tell(new Metrics(), text),
}]);

Deno.test("whatever a thread tells of its metrics, Prometheus can read the page", () => {
  const random = new Random(SEED);
  for (let left = INPUTS / 10; left > 0; left--) {
    const metrics = new Metrics();
    for (let told = 0; told < 4; told++) {
      try {
        tell(metrics, JSON.stringify(batch(random)));
      } catch (error) {
        if (!(error instanceof TypeError)) throw error;
      }
    }
    parsePrometheus(prometheusText(metrics.collect()));
  }
});
