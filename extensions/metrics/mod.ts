export { type Counter, type Gauge, type Histogram, metrics, type ServiceMetrics } from "./metrics.ts";
export type { HistogramOptions, MetricLabels, MetricOptions } from "./own_metric.ts";
