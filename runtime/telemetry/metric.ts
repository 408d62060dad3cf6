/** One metric: a counter, a gauge or a histogram, with a series for each combination of its labels. */

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
  /**
   * Number of labels, from the first, whose values are few. The series for what is beyond the bound keeps them.
   *
   * @default {0}
   */
  readonly kept?: number;
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
  /** The sum. */
  value = 0;

  /**
   * Adds to the sum.
   *
   * @param amount What to add; a negative amount, or one that is no number, counts nothing.
   */
  add(amount = 1): void {
    if (amount > 0) this.value += amount;
  }
}

/** A number that goes up and down. */
export class Gauge {
  /** The present value. */
  value = 0;

  /** Sets the present value. */
  set(value: number): void {
    this.value = value;
  }

  /** Adds to the present value. */
  add(amount = 1): void {
    this.value += amount;
  }
}

/**
 * Gets each value that a histogram records. It must not throw, and must be quick.
 *
 * @internal
 */
export type Tap = (value: number) => void;

/** The distribution of values. */
export class Histogram {
  /** The upper limits of the buckets, in ascending order. */
  readonly buckets: readonly number[];
  /** Number of values in each bucket. The last one is for values above all bounds. */
  readonly counts: number[];
  /** How many values were recorded. */
  count = 0;
  /** The sum of these values. */
  sum = 0;
  /** Those who need the values themselves. */
  taps: readonly Tap[] = [];

  /** Makes a histogram without values. */
  constructor(buckets: readonly number[]) {
    this.buckets = buckets;
    this.counts = new Array(buckets.length + 1).fill(0);
  }

  /** Counts a value in its bucket. */
  record(value: number): void {
    let bucket = 0;
    while (bucket < this.buckets.length && value > this.buckets[bucket]!) bucket++;
    this.counts[bucket]!++;
    this.count++;
    this.sum += value;
    for (let tap = 0; tap < this.taps.length; tap++) this.taps[tap]!(value);
  }
}

/**
 * One series of a metric.
 *
 * @internal
 */
export interface Series<Value> {
  readonly labels: readonly string[];
  readonly value: Value;
}

/** One metric with all its series. */
export class Metric<Value = Counter | Gauge | Histogram> {
  /** Name of the metric, which is the same for all its series. */
  readonly name: string;
  /** Whether it counts, shows a value, or distributes values. */
  readonly kind: MetricKind;
  /** What it was made with. */
  readonly options: MetricOptions;
  /** Upper bounds of the buckets of a histogram. */
  readonly buckets: readonly number[] | undefined;
  readonly #make: (labels: readonly string[]) => Value;
  readonly #series = new Map<string, Series<Value>>();

  /**
   * Makes a metric without series.
   *
   * @param make Makes the value of a new series.
   */
  constructor(
    name: string,
    kind: MetricKind,
    { buckets, ...options }: HistogramOptions,
    make: (labels: readonly string[]) => Value,
  ) {
    this.name = name;
    this.kind = kind;
    this.options = options;
    this.buckets = buckets;
    this.#make = make;
  }

  /** All series. */
  get series(): Iterable<Series<Value>> {
    return this.#series.values();
  }

  /** Gives the value of the series with these labels, in the order of the names. */
  with(...labels: readonly string[]): Value {
    const { labels: names = [], kept = 0 } = this.options;
    if (labels.length !== names.length) {
      throw new TypeError(
        `Cannot count "${this.name}": it has the labels [${names.join(", ")}], got ${labels.length} values`,
      );
    }
    const key = labels.length === 1 ? labels[0]! : labels.join("\u{0}");
    const known = this.#series.get(key);
    if (known !== undefined) return known.value;
    if (this.#series.size >= MOST_SERIES && labels.slice(kept).some((label) => label !== OTHER)) {
      return this.with(...labels.map((label, index) => index < kept ? label : OTHER));
    }
    const value = this.#make(labels);
    this.#series.set(key, { labels, value });
    return value;
  }
}
