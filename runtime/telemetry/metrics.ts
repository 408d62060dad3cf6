/**
 * The numbers of a process: counters, gauges and histograms, each with labels.
 *
 * Whoever counts often asks once for the series of its labels and keeps it: then to count is one addition. The numbers
 * leave the process through sinks that read {@linkcode Metrics.collect}. A metric has a bounded number of series, since
 * the values of a label may come from outside: what is beyond the bound counts in one series whose labels are all
 * `other`.
 */

/** The kinds of metrics, as Prometheus names them. */
export type MetricKind = "counter" | "gauge" | "histogram";

/** Options of a metric. */
export interface MetricOptions {
  /** One sentence that says what is counted. */
  readonly help: string;
  /** Names of the labels. Every series has a value for each. @default {[]} */
  readonly labels?: readonly string[];
  /** Unit of the values, such as `seconds` or `bytes`. The name ends with it. @default {a number of things} */
  readonly unit?: string;
}

/** Options of a histogram. */
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds of the buckets, ascending. @default {DURATION_BUCKETS} */
  readonly buckets?: readonly number[];
}

/** Buckets for durations in seconds: from 0.5 ms to a minute. */
export const DURATION_BUCKETS: readonly number[] = [
  0.0005,
  0.001,
  0.0025,
  0.005,
  0.01,
  0.025,
  0.05,
  0.1,
  0.25,
  0.5,
  1,
  2.5,
  5,
  10,
  30,
  60,
];

/** Most series of one metric. */
const MOST_SERIES = 1_000;

/** Value of the labels of the series that stands for all series beyond the bound. */
const OTHER = "other";

/** A number that only grows. */
export class Counter {
  value = 0;

  /** @param amount What to add; a negative amount, or one that is no number, counts nothing. */
  add(amount = 1): void {
    if (amount > 0) this.value += amount;
  }
}

/** A number that goes up and down. */
export class Gauge {
  value = 0;

  set(value: number): void {
    this.value = value;
  }

  add(amount = 1): void {
    this.value += amount;
  }
}

/** The distribution of values. */
export class Histogram {
  readonly buckets: readonly number[];
  /** Number of values in each bucket. The last one is for values above all bounds. */
  readonly counts: number[];
  count = 0;
  sum = 0;

  constructor(buckets: readonly number[]) {
    this.buckets = buckets;
    this.counts = new Array(buckets.length + 1).fill(0);
  }

  record(value: number): void {
    let bucket = 0;
    while (bucket < this.buckets.length && value > this.buckets[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.count++;
    this.sum += value;
  }
}

/** One series of a metric. */
export interface Series<Value> {
  readonly labels: readonly string[];
  readonly value: Value;
}

/** One metric with all its series. */
export class Metric<Value = Counter | Gauge | Histogram> {
  readonly name: string;
  readonly kind: MetricKind;
  readonly options: MetricOptions;
  readonly #make: () => Value;
  readonly #series = new Map<string, Series<Value>>();

  /** @param make Makes the value of a new series. */
  constructor(name: string, kind: MetricKind, options: MetricOptions, make: () => Value) {
    this.name = name;
    this.kind = kind;
    this.options = options;
    this.#make = make;
  }

  /** All series. */
  get series(): Iterable<Series<Value>> {
    return this.#series.values();
  }

  /** Gives the value of the series with these labels, in the order of the names. */
  with(...labels: readonly string[]): Value {
    const { labels: names = [] } = this.options;
    if (labels.length !== names.length) {
      throw new TypeError(
        `Cannot count "${this.name}": it has the labels [${names.join(", ")}], got ${labels.length} values`,
      );
    }
    const key = labels.length === 1 ? labels[0]! : labels.join("\u{0}");
    const known = this.#series.get(key);
    if (known !== undefined) return known.value;
    if (this.#series.size >= MOST_SERIES && labels.some((label) => label !== OTHER)) {
      return this.with(...names.map(() => OTHER));
    }
    const value = this.#make();
    this.#series.set(key, { labels, value });
    return value;
  }
}

const NAME = /^[a-zA-Z_:][\w:]*$/;
const LABEL = /^[a-zA-Z_]\w*$/;

/** Most metrics of a process. */
const MOST_METRICS = 1_000;

/** The metrics of a process. */
export class Metrics {
  readonly #metrics = new Map<string, Metric>();
  readonly #onCollect = new Set<() => void>();

  /** @throws {TypeError} If the name is no name, or is taken by another kind or by other labels. */
  counter(name: string, options: MetricOptions): Metric<Counter> {
    return this.#metric(name, "counter", options, () => new Counter());
  }

  /** @throws {TypeError} If the name is no name, or is taken by another kind or by other labels. */
  gauge(name: string, options: MetricOptions): Metric<Gauge> {
    return this.#metric(name, "gauge", options, () => new Gauge());
  }

  /** @throws {TypeError} If the name is no name, or is taken by another kind or by other labels. */
  histogram(
    name: string,
    { buckets = DURATION_BUCKETS, ...options }: HistogramOptions,
  ): Metric<Histogram> {
    return this.#metric(name, "histogram", options, () => new Histogram(buckets));
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
    options: MetricOptions,
    make: () => Value,
  ): Metric<Value> {
    const known = this.#metrics.get(name);
    const { labels = [] } = options;
    if (known !== undefined) {
      if (known.kind === kind && String(known.options.labels ?? []) === String(labels)) {
        return known as Metric<unknown> as Metric<Value>;
      }
      throw new TypeError(
        `Cannot make the ${kind} "${name}": there is a ${known.kind} of that name with the labels ` +
          `[${known.options.labels ?? ""}]. Choose another name`,
      );
    }
    if (!NAME.test(name)) {
      throw new TypeError(`Cannot make a metric named "${name}": use letters, digits and underscores`);
    }
    const wrong = labels.find((label) => !LABEL.test(label));
    if (wrong !== undefined) {
      throw new TypeError(`Cannot make the metric "${name}": its label "${wrong}" is no name`);
    }
    if (this.#metrics.size >= MOST_METRICS) {
      throw new TypeError(`Cannot make the metric "${name}": there are ${MOST_METRICS} metrics already`);
    }
    const metric = new Metric(name, kind, options, make);
    this.#metrics.set(name, metric as Metric<unknown> as Metric);
    return metric;
  }
}
