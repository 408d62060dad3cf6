/**
 * The main thread's half of `metrics()`: takes what the threads of a service tell of its metrics.
 *
 * A thread can tell anything. What is out of form is refused as a whole. A metric that is in form but cannot be, such as
 * one that another service has with other labels, is refused alone, and its thread is told why.
 */
import type { DependencyHalf, DependencySetupHost } from "../../runtime/hosting/host.ts";
import type { Counter, Gauge, Histogram, Metric } from "../../runtime/telemetry/metric.ts";
import type { Metrics } from "../../runtime/telemetry/metrics.ts";
import { faultOfMetric, type MetricChanges, MOST_METRICS, type Refusal, SERVICE_LABEL } from "./batch.ts";
import { readBatch } from "./read_batch.ts";

/** Makes the half of the dependency of one service. */
export function createMetricsHalf(
  { service, metrics }: Pick<DependencySetupHost, "service" | "metrics">,
): DependencyHalf {
  const names = new Set<string>();
  return {
    answer(body) {
      const refusals: Refusal[] = [];
      for (const changes of readBatch(body)) {
        const { name } = changes;
        const isTooMany = !names.has(name) && names.size >= MOST_METRICS;
        const reason = isTooMany
          ? `the service has ${MOST_METRICS} metrics already. Put what differs into labels`
          : refuse(changes, service, metrics);
        if (reason === undefined) names.add(name);
        else refusals.push([name, reason]);
      }
      return JSON.stringify(refusals);
    },
  };
}

/** Applies changes. Returns why they cannot be applied; undefined if they have been. */
function refuse(changes: MetricChanges, service: string, metrics: Metrics): string | undefined {
  const fault = faultOfMetric(changes);
  if (fault !== undefined) return fault;
  let metric: Metric<unknown>;
  try {
    metric = metricOf(changes, metrics);
  } catch (error) {
    return (error as Error).message;
  }
  for (const [labels, change, set] of changes.series) {
    const value = metric.with(service, ...labels);
    if (typeof change !== "number") { for (const each of change) (value as Histogram).record(each); }
    else if (changes.kind === "counter") (value as Counter).add(change);
    else {
      if (set !== undefined) (value as Gauge).set(set);
      (value as Gauge).add(change);
    }
  }
  return undefined;
}

function metricOf(
  { name, kind, help, labels, unit, buckets }: MetricChanges,
  metrics: Metrics,
): Metric<unknown> {
  const options = {
    help,
    labels: [SERVICE_LABEL, ...labels],
    kept: 1,
    ...(unit !== undefined && { unit }),
  };
  switch (kind) {
    case "counter":
      return metrics.counter(name, options);
    case "gauge":
      return metrics.gauge(name, options);
    case "histogram":
      return metrics.histogram(name, { ...options, ...(buckets !== undefined && { buckets }) });
  }
}
