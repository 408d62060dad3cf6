import { isRecord, isTexts } from "../../runtime/message/plain.ts";
import {
  type MetricChanges,
  MOST_LABEL,
  MOST_METRICS,
  MOST_SERIES,
  MOST_VALUES,
  type SeriesChanges,
} from "./batch.ts";

/** Characters that a batch has at most. */
const MOST_TEXT = 4 * 1024 * 1024;

/**
 * Reads what a thread tells of its metrics.
 *
 * @throws {TypeError} If it has another form, or is too large.
 */
export function readBatch(body: unknown): readonly MetricChanges[] {
  if (typeof body !== "string" || body.length > MOST_TEXT) throw refusal("it is no text, or too long a text");
  let batch: unknown;
  try {
    batch = JSON.parse(body);
  } catch {
    throw refusal("it is no JSON");
  }
  if (!Array.isArray(batch) || batch.length > MOST_METRICS) {
    throw refusal(`it is no list of ${MOST_METRICS} metrics at most`);
  }
  if (!batch.every(isChanges)) throw refusal("a metric in it has another form");
  return batch;
}

function refusal(reason: string): TypeError {
  return new TypeError(`Cannot take changes of metrics: ${reason}. Use metrics() of Enoki`);
}

function isChanges(value: unknown): value is MetricChanges {
  if (!isRecord(value)) return false;
  const { name, kind, help, labels, unit, buckets, series } = value;
  if (typeof name !== "string" || typeof help !== "string" || !isTexts(labels)) return false;
  if (unit !== undefined && typeof unit !== "string") return false;
  if (buckets !== undefined && !isNumbers(buckets)) return false;
  if (kind !== "counter" && kind !== "gauge" && kind !== "histogram") return false;
  // One more stands for all others.
  if (!Array.isArray(series) || series.length > MOST_SERIES + 1) return false;
  let values = 0;
  return series.every((each): each is SeriesChanges => {
    if (!Array.isArray(each) || each.length > 3) return false;
    const [own, change, set] = each;
    if (!isTexts(own) || own.length !== labels.length || own.some((label) => label.length > MOST_LABEL)) {
      return false;
    }
    if (kind !== "histogram") return isNumber(change) && (set === undefined || isNumber(set));
    return isNumbers(change) && (values += change.length) <= MOST_VALUES;
  });
}

function isNumbers(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.every(isNumber);
}

function isNumber(value: unknown): value is number {
  return typeof value === "number" && Number.isFinite(value);
}
