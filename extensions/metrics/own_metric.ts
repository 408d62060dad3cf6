import { faultOfMetric, MOST_LABEL, MOST_SERIES, OTHER, type OwnMetricKind } from "./batch.ts";
import type { MetricChanges, SeriesChanges } from "./batch.ts";

/** The labels of a metric, each with its value. */
export type MetricLabels = Readonly<Record<string, string | number | boolean>>;

/** Options of a metric. */
export interface MetricOptions {
  /** One sentence that says what is counted. @default {""} */
  readonly help?: string;
  /** Names of the labels. Each use of the metric gives a value for each of them. @default {[]} */
  readonly labels?: readonly string[];
  /** Unit of the values, such as `seconds` or `bytes`. @default {a number of things} */
  readonly unit?: string;
}

/** Options of a histogram. */
export interface HistogramOptions extends MetricOptions {
  /** Upper bounds of the buckets, ascending. @default {from 0.5 ms to a minute, in seconds} */
  readonly buckets?: readonly number[];
}

interface Series {
  readonly labels: readonly string[];
  /** What was added since the thread last told of it, or since the gauge was set. */
  change: number;
  set: number | undefined;
  readonly values: number[];
}

/** One metric of a service in one thread: what of it has changed since the thread last told of it. */
export class OwnMetric {
  readonly name: string;
  readonly kind: OwnMetricKind;
  /** Why the main thread refuses the metric; undefined if it does not. */
  refusal: string | undefined;
  readonly #options: HistogramOptions;
  readonly #labels: readonly string[];
  readonly #series = new Map<string, Series>();

  /** @throws {TypeError} If the metric cannot be made. */
  constructor(name: string, kind: OwnMetricKind, options: HistogramOptions) {
    this.name = name;
    this.kind = kind;
    this.#options = options;
    this.#labels = [...options.labels ?? []];
    const { help = "", unit, buckets } = options;
    const fault = faultOfMetric({ name: String(name), help, labels: this.#labels, unit, buckets });
    if (fault !== undefined) {
      throw new TypeError(`Cannot make the ${kind} "${String(name).slice(0, MOST_LABEL)}": ${fault}`);
    }
  }

  /**
   * Requires that a further use of the name means this metric.
   *
   * @throws {TypeError} If it means another one.
   */
  require(kind: OwnMetricKind, { labels, unit, buckets }: HistogramOptions): void {
    const isSame = kind === this.kind && (labels === undefined || String(labels) === String(this.#labels)) &&
      (unit === undefined || unit === this.#options.unit) &&
      (buckets === undefined || String(buckets) === String(this.#options.buckets));
    if (isSame) return;
    throw new TypeError(
      `Cannot make the ${kind} "${this.name}": the service has a ${this.kind} of that name with the labels ` +
        `[${this.#labels.join(", ")}] and other options. Use the same options, or choose another name`,
    );
  }

  add(amount: number, labels: MetricLabels | undefined): void {
    if (this.kind === "counter" && !(amount >= 0)) {
      throw new RangeError(
        `Cannot count ${amount} in "${this.name}": a counter only grows. Use a gauge for what goes down`,
      );
    }
    this.#require(amount);
    this.#of(labels).change += amount;
  }

  set(value: number, labels: MetricLabels | undefined): void {
    this.#require(value);
    const series = this.#of(labels);
    series.set = value;
    series.change = 0;
  }

  record(value: number, labels: MetricLabels | undefined): void {
    this.#require(value);
    this.#of(labels).values.push(value);
  }

  /** Gives what has changed, and forgets it; undefined if nothing has. */
  take(): MetricChanges | undefined {
    if (this.#series.size === 0) return undefined;
    const series = [...this.#series.values()].map(({ labels, change, set, values }): SeriesChanges =>
      this.kind === "histogram"
        ? [labels, values]
        : set === undefined
        ? [labels, change]
        : [labels, change, set]
    );
    this.#series.clear();
    const { help = "", unit, buckets } = this.#options;
    return { name: this.name, kind: this.kind, help, labels: this.#labels, unit, buckets, series };
  }

  #require(value: number): void {
    if (this.refusal !== undefined) {
      throw new TypeError(`Cannot use the ${this.kind} "${this.name}": ${this.refusal}`);
    }
    if (Number.isFinite(value)) return;
    throw new TypeError(`Cannot use ${String(value)} as a value of "${this.name}": it is no finite number`);
  }

  #of(given: MetricLabels = {}): Series {
    const names = Object.keys(given);
    const labels = this.#labels.map((name) => {
      const value = given[name];
      if (value === undefined) {
        throw new TypeError(
          `Cannot use "${this.name}": its label "${name}" has no value. Give a value for each of [${
            this.#labels.join(", ")
          }]`,
        );
      }
      return String(value).slice(0, MOST_LABEL).toWellFormed();
    });
    if (names.length > labels.length) {
      const other = names.find((name) => !this.#labels.includes(name));
      throw new TypeError(
        `Cannot use "${this.name}": it has no label "${other}". Its labels are [${this.#labels.join(", ")}]`,
      );
    }
    return this.#series.get(labels.join("\0")) ?? this.#create(labels);
  }

  #create(labels: readonly string[]): Series {
    const isFull = this.#series.size >= MOST_SERIES;
    const kept = isFull ? labels.map(() => OTHER) : labels;
    const key = kept.join("\0");
    let series = this.#series.get(key);
    if (series === undefined) {
      this.#series.set(key, series = { labels: kept, change: 0, set: undefined, values: [] });
    }
    return series;
  }
}
