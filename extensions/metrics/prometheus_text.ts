/**
 * The text format of Prometheus, version 0.0.4
 * (https://prometheus.io/docs/instrumenting/exposition_formats/#text-based-format).
 */
import { type Counter, type Gauge, Histogram, type Metric } from "../../runtime/telemetry/metric.ts";

/** Writes metrics with their present values. A metric without a series is left out. */
export function prometheusText(metrics: readonly Metric[]): string {
  let text = "";
  for (const metric of metrics) {
    const { name, kind, options: { help, labels: names = [] }, series } = metric;
    let lines = "";
    for (const { labels, value } of series) {
      const pairs = names.map((label, index) => `${label}="${escapeLabel(labels[index]!)}"`).join(",");
      lines += value instanceof Histogram ? histogramLines(name, pairs, value) : line(name, pairs, value);
    }
    if (lines === "") continue;
    text += `# HELP ${name} ${escapeHelp(help)}\n# TYPE ${name} ${kind}\n${lines}`;
  }
  return text;
}

function line(name: string, pairs: string, { value }: Counter | Gauge): string {
  return sample(name, pairs, value);
}

function histogramLines(name: string, pairs: string, { buckets, counts, count, sum }: Histogram): string {
  const before = pairs === "" ? "" : `${pairs},`;
  let total = 0;
  let lines = "";
  for (const [index, bound] of buckets.entries()) {
    total += counts[index]!;
    lines += sample(`${name}_bucket`, `${before}le="${bound}"`, total);
  }
  return lines + sample(`${name}_bucket`, `${before}le="+Inf"`, count) + sample(`${name}_sum`, pairs, sum) +
    sample(`${name}_count`, pairs, count);
}

function sample(name: string, pairs: string, value: number): string {
  const labels = pairs === "" ? "" : `{${pairs}}`;
  return `${name}${labels} ${valueText(value)}\n`;
}

/** Prometheus reads numbers as Go does. */
function valueText(value: number): string {
  if (value === Infinity) return "+Inf";
  return value === -Infinity ? "-Inf" : String(value);
}

function escapeLabel(text: string): string {
  return escapeHelp(text).replaceAll('"', '\\"');
}

function escapeHelp(text: string): string {
  return text.replaceAll("\\", "\\\\").replaceAll("\n", "\\n");
}
