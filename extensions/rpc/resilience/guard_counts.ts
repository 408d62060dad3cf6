import type { Counter, Gauge, Metric } from "../../../runtime/telemetry/metric.ts";
import type { Metrics } from "../../../runtime/telemetry/metrics.ts";

/** Why a client has refused a call. */
export type Rejection = "circuit" | "bulkhead" | "rate";

/** Counts what the policies of one client do. */
export class GuardCounts {
  /** Calls that were sent again. */
  readonly retries: Counter;
  /** Calls whose result their fallback has given. */
  readonly fallbacks: Counter;
  readonly #client: readonly [service: string, client: string];
  readonly #circuits: Metric<Gauge>;
  readonly #rejections: Metric<Counter>;

  constructor(metrics: Metrics, service: string, client: string) {
    const labels = ["service", "client"];
    this.#client = [service, client];
    this.retries = metrics.counter("enoki_client_retries_total", {
      help: "Calls of other services that were sent again.",
      labels,
    }).with(service, client);
    this.fallbacks = metrics.counter("enoki_client_fallbacks_total", {
      help: "Calls of other services whose fallback gave the result.",
      labels,
    }).with(service, client);
    this.#rejections = metrics.counter("enoki_client_rejections_total", {
      help: "Calls of other services that the policies of the client did not let through.",
      labels: [...labels, "reason"],
    });
    this.#circuits = metrics.gauge("enoki_client_circuit_state", {
      help: "State of a client's circuit: 0 closed, 1 half-open, 2 open.",
      labels: [...labels, "method"],
    });
  }

  rejected(reason: Rejection): void {
    this.#rejections.with(...this.#client, reason).add();
  }

  /** Gives the gauge of a circuit. @param method The method of the circuit, or `*`. */
  circuit(method: string): Gauge {
    const gauge = this.#circuits.with(...this.#client, method);
    gauge.set(0);
    return gauge;
  }
}
