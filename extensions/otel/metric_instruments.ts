import type { Counter, Gauge, Metric } from "../../runtime/telemetry/metric.ts";
import type { Metrics } from "../../runtime/telemetry/metrics.ts";
import { CounterDeltas } from "../../runtime/telemetry/measuring/counter_deltas.ts";
import { type Attributes, metrics as api } from "../../runtime/telemetry/otel/api.ts";

/** Milliseconds after which numbers have reached OpenTelemetry, which exports them at its own pace. */
const INTERVAL = 1_000;

type Record = (value: number, attributes: Attributes) => void;

/**
 * Hands the numbers of a process to OpenTelemetry: to Deno itself, where `OTEL_DENO` is true.
 *
 * The instruments are told of growth, and do not ask for the numbers: Deno exports what they have been told when the
 * process ends, and asks nobody then.
 */
export class MetricInstruments implements Disposable {
  readonly #meter = api.getMeter("enoki");
  readonly #metrics: Metrics;
  readonly #deltas = new CounterDeltas();
  readonly #records = new Map<string, Record>();
  readonly #timer: ReturnType<typeof setInterval>;
  readonly #untap: () => void;

  constructor(metrics: Metrics) {
    this.#metrics = metrics;
    this.#untap = metrics.tap((metric, labels) => {
      const record = this.#recordOf(metric);
      const attributes = attributesOf(metric, labels);
      return (value) => record(value, attributes);
    });
    this.#timer = setInterval(() => this.#tell(), INTERVAL);
    Deno.unrefTimer(this.#timer);
  }

  /** Tells the last numbers. */
  [Symbol.dispose](): void {
    clearInterval(this.#timer);
    this.#tell();
    this.#untap();
  }

  #tell(): void {
    for (const metric of this.#metrics.collect()) {
      if (metric.kind === "histogram") continue;
      const record = this.#recordOf(metric);
      for (const { labels, value } of metric.series) {
        const amount = metric.kind === "counter" ? this.#deltas.of(value as Counter) : (value as Gauge).value;
        if (metric.kind === "gauge" || amount > 0) record(amount, attributesOf(metric, labels));
      }
    }
  }

  #recordOf(metric: Metric<unknown>): Record {
    let record = this.#records.get(metric.name);
    if (record === undefined) this.#records.set(metric.name, record = this.#createRecord(metric));
    return record;
  }

  #createRecord({ name, kind, options: { help, unit }, buckets }: Metric<unknown>): Record {
    const options = { description: help, ...(unit !== undefined && { unit: UNITS[unit] ?? unit }) };
    switch (kind) {
      case "counter": {
        const counter = this.#meter.createCounter(name, options);
        return (value, attributes) => counter.add(value, attributes);
      }
      case "gauge": {
        const gauge = this.#meter.createGauge(name, options);
        return (value, attributes) => gauge.record(value, attributes);
      }
      case "histogram": {
        const advice = { explicitBucketBoundaries: [...buckets ?? []] };
        const histogram = this.#meter.createHistogram(name, { ...options, advice });
        return (value, attributes) => histogram.record(value, attributes);
      }
    }
  }
}

/** Units as OpenTelemetry abbreviates them. */
const UNITS: Readonly<{ [unit: string]: string }> = { seconds: "s", bytes: "By" };

function attributesOf({ options }: Metric<unknown>, labels: readonly string[]): Attributes {
  return Object.fromEntries((options.labels ?? []).map((name, index) => [name, labels[index]!]));
}
