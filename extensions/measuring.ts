/** Measures the process, and reports its numbers to where the configuration says. */
import type { Log } from "../runtime/log/log.ts";
import type { Metrics } from "../runtime/telemetry/metrics.ts";
import { ProcessMetrics } from "../runtime/telemetry/measuring/process_metrics.ts";
import { takesMetrics } from "../runtime/telemetry/otel/switch.ts";
import { type MeasuredService, measureServices } from "../runtime/telemetry/measuring/service_metrics.ts";
import type { Telemetry } from "../runtime/telemetry/telemetry.ts";
import type { Lazy } from "../runtime/waiting/lazy.ts";
import type { Settings } from "./settings.ts";
import type { StreamServer } from "./stream/listening/stream_server.ts";
import type { SocketServer } from "./websocket/sockets/socket_server.ts";

/** Options of {@linkcode measure}. */
export interface MeasureOptions {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  /** Gives the services. */
  readonly containers: () => ReadonlyMap<string, MeasuredService>;
  readonly log: Log;
}

/**
 * Measures the process until the result is disposed of. Then the last numbers are reported, which takes a second at
 * most.
 */
export async function measure(
  { settings, telemetry: { metrics }, containers, log }: MeasureOptions,
): Promise<AsyncDisposable> {
  const measuring = new AsyncDisposableStack();
  if (settings.runtime.telemetry !== undefined) {
    measuring.use(new ProcessMetrics(metrics, log));
    measuring.defer(measureServices(metrics, containers));
  }
  if (settings.statsd.length > 0) {
    const { StatsdReporter } = await import("./metrics/statsd/reporter.ts");
    for (const server of settings.statsd) measuring.use(new StatsdReporter(metrics, server, log));
  }
  if (takesMetrics()) {
    const { MetricInstruments } = await import("./otel/metric_instruments.ts");
    measuring.use(new MetricInstruments(metrics));
  }
  return measuring;
}

/** Counts the connections of clients, whenever somebody collects the numbers. */
export function measureConnections(
  metrics: Metrics,
  { sockets, streams }: { readonly sockets: Lazy<SocketServer>; readonly streams: Lazy<StreamServer> },
): void {
  metrics.onCollect(() => {
    if (sockets.value !== undefined) {
      metrics.gauge("enoki_websocket_connections", { help: "WebSockets that are open." }).with()
        .set(sockets.value.size);
    }
    const connections = streams.value?.counts ?? [];
    for (const { service, stream, count } of connections) {
      metrics.gauge("enoki_stream_connections", {
        help: "Connections of streams that are open.",
        labels: ["service", "stream"],
      }).with(service, stream).set(count);
    }
  });
}
