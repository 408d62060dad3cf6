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

/** The series of the requests of one method that fit one rule. */
interface RouteCounts {
  readonly duration: Histogram;
  /** By status. */
  readonly requests: Map<number, Counter>;
}

/** Counts HTTP requests by the rules that they fit, never by their paths. */
export class RequestCounts {
  readonly #requests: Metric<Counter>;
  readonly #durations: Metric<Histogram>;
  /** The series that are known, by rule and method, so that to count a request costs two look-ups. */
  readonly #known = new Map<string, Map<string, RouteCounts>>();

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
    const { duration, requests } = this.#known.get(route)?.get(method) ?? this.#countsOf(method, route);
    duration.record(took / 1_000);
    const counter = requests.get(status);
    if (counter !== undefined) counter.value++;
    else this.#count(requests, method, route, status);
  }

  #count(requests: RouteCounts["requests"], method: string, route: string, status: number): void {
    const counter = this.#requests.with(nameOf(method), route, String(status));
    requests.set(status, counter);
    counter.add();
  }

  #countsOf(given: string, route: string): RouteCounts {
    const method = nameOf(given);
    let byMethod = this.#known.get(route);
    if (byMethod === undefined) this.#known.set(route, byMethod = new Map());
    let counts = byMethod.get(method);
    if (counts === undefined) {
      byMethod.set(method, counts = { duration: this.#durations.with(method, route), requests: new Map() });
    }
    return counts;
  }
}

function nameOf(method: string): string {
  return METHODS.has(method) ? method : "other";
}
