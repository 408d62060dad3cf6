import type { Counter, Histogram, Metric } from "../../runtime/telemetry/metric.ts";
import type { Metrics } from "../../runtime/telemetry/metrics.ts";

/** The methods that are told apart. A client may send any word. */
const METHODS: ReadonlySet<string> = new Set([
  "GET",
  "HEAD",
  "POST",
  "PUT",
  "PATCH",
  "DELETE",
  "OPTIONS",
  "CONNECT",
  "TRACE",
]);

/** Counts HTTP requests by the rules that they fit, never by their paths. */
export class RequestCounts {
  readonly #requests: Metric<Counter>;
  readonly #durations: Metric<Histogram>;

  constructor(metrics: Metrics) {
    this.#requests = metrics.counter("enoki_http_requests_total", {
      help: "HTTP requests that were answered.",
      labels: ["method", "route", "status"],
      kept: 2,
    });
    this.#durations = metrics.histogram("enoki_http_request_duration_seconds", {
      help: "Time from the arrival of an HTTP request to the beginning of its response.",
      labels: ["method", "route"],
      kept: 1,
      unit: "seconds",
    });
  }

  /**
   * Counts a request.
   *
   * @param route The rule of the request; undefined if no rule fits it.
   * @param took Milliseconds until the response begins.
   */
  count(method: string, route = "none", status: number, took: number): void {
    const known = METHODS.has(method) ? method : "other";
    this.#requests.with(known, route, String(status)).add();
    this.#durations.with(known, route).record(took / 1_000);
  }
}
