import type { Counter } from "../../../runtime/telemetry/metric.ts";
import type { Metrics } from "../../../runtime/telemetry/metrics.ts";
import type { CacheStore } from "./store.ts";

const LABELS = ["service", "cache"];

/** What is counted of one cache. */
export interface CacheCounts {
  /** Values that a thread had at hand. */
  readonly near: Counter;
  /** Fresh values of the shared level. */
  readonly shared: Counter;
  /** Values that were served while somebody loads them again. */
  readonly stale: Counter;
  /** Values that another one has loaded for those who waited. */
  readonly waited: Counter;
  readonly misses: Counter;
  /** Last good results in place of failed calls. */
  readonly fallbacks: Counter;
  readonly evictions: Counter;
  /** Values that were too large. */
  readonly refused: Counter;
  /** Commands that Redis has not answered. */
  readonly failures: Counter;
}

/** Makes what is counted of one cache. */
export function cacheCounts(metrics: Metrics, service: string, cache: string): CacheCounts {
  const reads = metrics.counter("enoki_cache_reads_total", {
    help: "Reads of cached values, by what they found.",
    labels: [...LABELS, "result"],
    kept: 2,
  });
  const count = (name: string, help: string) =>
    metrics.counter(name, { help, labels: LABELS }).with(service, cache);
  return {
    near: reads.with(service, cache, "near"),
    shared: reads.with(service, cache, "shared"),
    stale: reads.with(service, cache, "stale"),
    waited: reads.with(service, cache, "waited"),
    misses: reads.with(service, cache, "miss"),
    fallbacks: count("enoki_cache_fallbacks_total", "Last good results in place of failed calls."),
    evictions: count("enoki_cache_evictions_total", "Cached values that made room for others."),
    failures: count("enoki_cache_failures_total", "Commands of a cache that Redis has not answered."),
    refused: count("enoki_cache_refused_total", "Values that were too large to be cached."),
  };
}

/** What can be looked at of one cache. */
export interface CacheGauges {
  readonly store: CacheStore;
  /** The number of calls that wait for a value that another one loads. */
  readonly waiting: number;
}

/**
 * Shows the size of a cache whenever the numbers are collected.
 *
 * @returns Ends that.
 */
export function measureCache(
  metrics: Metrics,
  service: string,
  cache: string,
  measured: CacheGauges,
): () => void {
  const set = (name: string, help: string, value: number) =>
    metrics.gauge(name, { help, labels: LABELS }).with(service, cache).set(value);
  return metrics.onCollect(() => {
    const { waiting, store: { size } } = measured;
    set("enoki_cache_waiting", "Calls that wait for a value that another one loads.", waiting);
    if (size === undefined) return;
    set("enoki_cache_entries", "Cached values in the memory of the main thread.", size.entries);
    set("enoki_cache_bytes", "Bytes of the cached values in the memory of the main thread.", size.bytes);
  });
}
