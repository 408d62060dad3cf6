/**
 * What a thread tells the main thread of its metrics: how they have changed since the thread last told of them.
 *
 * The main thread checks all of it, because a service can send anything.
 */

/** The kinds of metrics that a service has. */
export type OwnMetricKind = "counter" | "gauge" | "histogram";

/** Changes of one metric. */
export interface MetricChanges {
  readonly name: string;
  readonly kind: OwnMetricKind;
  readonly help: string;
  readonly labels: readonly string[];
  readonly unit?: string | undefined;
  readonly buckets?: readonly number[] | undefined;
  readonly series: readonly SeriesChanges[];
}

/** Changes of one series: the values of its labels, and what has changed. */
export type SeriesChanges =
  | readonly [labels: readonly string[], change: number]
  /** A gauge that was set, and has changed since then. */
  | readonly [labels: readonly string[], change: number, set: number]
  /** The values that a histogram has recorded. */
  | readonly [labels: readonly string[], values: readonly number[]];

/** A metric that the main thread has refused, and the reason. */
export type Refusal = readonly [name: string, reason: string];

/** Most metrics of one service. */
export const MOST_METRICS = 100;

/** Most series of a metric in one batch. */
export const MOST_SERIES = 1_000;

/** Most values of a histogram in one batch, of all series together. */
export const MOST_VALUES = 10_000;

/** Characters of the value of a label that are kept. */
export const MOST_LABEL = 200;

/** Value of the labels of the series that stands for all series beyond the bound. */
export const OTHER = "other";

const MOST_LABELS = 10;
const MOST_HELP = 1_000;
const MOST_BUCKETS = 100;

/** Names are those of Prometheus, without colons, which rules of Prometheus have. */
const NAME = /^[a-zA-Z_]\w{0,199}$/;

/** Label that says which service has the metric. */
export const SERVICE_LABEL = "service";

/** Names of Prometheus's own labels, which a metric must not have. */
const TAKEN_LABELS: ReadonlySet<string> = new Set([SERVICE_LABEL, "le", "quantile"]);

/** Returns what is wrong with the definition of a metric, and what would be right; undefined if nothing is. */
export function faultOfMetric(
  { name, help, labels, unit, buckets }: Omit<MetricChanges, "series" | "kind">,
): string | undefined {
  if (!NAME.test(name)) {
    return "its name is no name. Use up to 200 letters, digits and underscores, no digit first";
  }
  if (name.startsWith("enoki_")) {
    return "names that begin with enoki_ are those of Enoki. Choose another name";
  }
  if (help.length > MOST_HELP) return `its help is too long. Use up to ${MOST_HELP} characters`;
  if (labels.length > MOST_LABELS) return `it has ${labels.length} labels. Use up to ${MOST_LABELS}`;
  if (new Set(labels).size < labels.length) return "it has a label twice. Name each label once";
  for (const label of labels) {
    if (!NAME.test(label) || label.startsWith("__")) {
      return `its label "${label.slice(0, MOST_LABEL)}" is no name. Use letters, digits and underscores`;
    }
    if (TAKEN_LABELS.has(label)) return `its label "${label}" has a meaning already. Choose another name`;
  }
  if (unit !== undefined && !NAME.test(unit)) return 'its unit is no name. Use a word such as "seconds"';
  if (buckets === undefined) return undefined;
  const ascend = buckets.every((bound, index) => index === 0 || bound > buckets[index - 1]!);
  if (buckets.length === 0 || buckets.length > MOST_BUCKETS || !ascend || !buckets.every(Number.isFinite)) {
    return `its buckets do not ascend. Give up to ${MOST_BUCKETS} finite numbers in ascending order`;
  }
  return undefined;
}
