/**
 * The numbers of a process: counters, gauges and histograms, each with labels.
 *
 * Whoever counts often asks once for the series of its labels and keeps it: then to count is one addition. The numbers
 * leave the process through sinks that read {@linkcode Metrics.collect}. A metric has a bounded number of series, since
 * the values of a label may come from outside: what is beyond the bound counts in one series whose labels are all
 * `other`.
 */
import {
  Counter,
  DURATION_BUCKETS,
  Gauge,
  Histogram,
  type HistogramOptions,
  Metric,
  type MetricKind,
  type MetricOptions,
  type Tap,
} from "./metric.ts";

const NAME = /^[a-zA-Z_:][\w:]*$/;
const HISTOGRAM_PART = /_(?:bucket|sum|count)$/;
const LABEL = /^[a-zA-Z_]\w*$/;

/** Makes what gets the values of one series of a histogram. */
export type MakeTap = (metric: Metric<Histogram>, labels: readonly string[]) => Tap;

/** Most metrics of a process. */
const MOST_METRICS = 1_000;

/** The metrics of a process. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #onCollect = new Set<() => void>();
  readonly #taps = new Set<MakeTap>();

  /**
   * Gives the counter of that name, and makes it if it is new.
   *
   * @throws {TypeError} If the name is no name, or is taken by another kind or by other labels.
   */
  counter(name: string, options: MetricOptions): Metric<Counter> {
    return this.#metric(name, "counter", options, () => new Counter());
  }

  /**
   * Gives the gauge of that name, and makes it if it is new.
   *
   * @throws {TypeError} If the name is no name, or is taken by another kind or by other labels.
   */
  gauge(name: string, options: MetricOptions): Metric<Gauge> {
    return this.#metric(name, "gauge", options, () => new Gauge());
  }

  /**
   * Gives the histogram of that name, and makes it if it is new.
   *
   * @throws {TypeError} If the name is no name, or is taken by another kind or by other labels.
   */
  histogram(
    name: string,
    { buckets = DURATION_BUCKETS, ...options }: HistogramOptions,
  ): Metric<Histogram> {
    const metric: Metric<Histogram> = this.#metric(name, "histogram", { ...options, buckets }, (labels) => {
      const histogram = new Histogram(buckets);
      histogram.taps = [...this.#taps].map((make) => make(metric, labels));
      return histogram;
    });
    return metric;
  }

  /**
   * Hands each value that a histogram records from now on to the tap that `make` makes for its series.
   *
   * @returns Ends that.
   * @internal
   */
  tap(make: MakeTap): () => void {
    const made = new Set<Tap>();
    const remembering: MakeTap = (metric, labels) => {
      const tap = make(metric, labels);
      made.add(tap);
      return tap;
    };
    this.#taps.add(remembering);
    for (const [metric, labels, histogram] of this.#histograms()) {
      histogram.taps = [...histogram.taps, remembering(metric, labels)];
    }
    return () => {
      this.#taps.delete(remembering);
      for (const [, , histogram] of this.#histograms()) {
        histogram.taps = histogram.taps.filter((tap) => !made.has(tap));
      }
    };
  }

  *#histograms(): Iterable<readonly [Metric<Histogram>, readonly string[], Histogram]> {
    for (const metric of this.#metrics.values()) {
      if (metric.kind !== "histogram") continue;
      const histograms = metric as Metric<unknown> as Metric<Histogram>;
      for (const { labels, value } of histograms.series) yield [histograms, labels, value];
    }
  }

  /**
   * Calls `listener` before each {@linkcode Metrics.collect}, so that it sets the gauges that nobody watches.
   *
   * @returns Ends that.
   */
  onCollect(listener: () => void): () => void {
    this.#onCollect.add(listener);
    return () => void this.#onCollect.delete(listener);
  }

  /** Gives all metrics with their present values. */
  collect(): readonly Metric[] {
    for (const listener of this.#onCollect) listener();
    return [...this.#metrics.values()];
  }

  #metric<Value>(
    name: string,
    kind: MetricKind,
    options: HistogramOptions,
    make: (labels: readonly string[]) => Value,
  ): Metric<Value> {
    const known = this.#metrics.get(name);
    const { labels = [] } = options;
    if (known !== undefined) {
      const isSame = known.kind === kind && String(known.options.labels ?? []) === String(labels) &&
        String(known.buckets ?? []) === String(options.buckets ?? []);
      if (isSame) {
        return known as Metric<unknown> as Metric<Value>;
      }
      throw new TypeError(
        `Cannot make the ${kind} "${name}": there is a ${known.kind} of that name with the labels ` +
          `[${known.options.labels ?? ""}]${
            known.buckets ? ` and the buckets [${known.buckets}]` : ""
          }. Choose another name`,
      );
    }
    if (!NAME.test(name)) {
      throw new TypeError(`Cannot make a metric named "${name}": use letters, digits and underscores`);
    }
    const wrong = labels.find((label) => !LABEL.test(label));
    if (wrong !== undefined) {
      throw new TypeError(`Cannot make the metric "${name}": its label "${wrong}" is no name`);
    }
    const clash = this.#clashOf(name, kind);
    if (clash !== undefined) {
      throw new TypeError(
        `Cannot make the ${kind} "${name}": the metric "${clash}" has lines of the same name. Choose another name`,
      );
    }
    if (this.#metrics.size >= MOST_METRICS) {
      throw new TypeError(`Cannot make the metric "${name}": there are ${MOST_METRICS} metrics already`);
    }
    const metric = new Metric(name, kind, options, make);
    this.#metrics.set(name, metric as Metric<unknown> as Metric);
    return metric;
  }
  /** Returns the metric whose lines a metric of that name would be mistaken for: a histogram has several names. */
  #clashOf(name: string, kind: MetricKind): string | undefined {
    const base = name.replace(HISTOGRAM_PART, "");
    if (base !== name && this.#metrics.get(base)?.kind === "histogram") return base;
    if (kind !== "histogram") return undefined;
    return ["_bucket", "_sum", "_count"].map((part) => name + part).find((each) => this.#metrics.has(each));
  }
}
