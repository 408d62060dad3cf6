import type { Metrics } from "../runtime/telemetry/metrics.ts";
import type { Transport, TransportStatus } from "../runtime/message/transport.ts";
import type { ContainerState } from "../runtime/serving/container.ts";

/** The part of a container that says whether its service can work. */
export interface ReadyContainer {
  readonly state: ContainerState;
  /** Whether the service is to run. One that somebody has stopped is missed by nobody. */
  readonly isWanted: boolean;
  readonly pool: { readonly size: number };
}

/** Knows whether the process can do its work: whether its broker is connected, and whether its services run. */
export class Readiness {
  /** The transport, once it has been connected. */
  transport: Transport | undefined;
  readonly #containers: () => ReadonlyMap<string, ReadyContainer>;
  #lost = false;
  #reconnects = 0;

  /** @param containers Gives all services, also those that are stopped. */
  constructor(containers: () => ReadonlyMap<string, ReadyContainer>) {
    this.#containers = containers;
  }

  /** Takes what the transport reports about its connection. */
  readonly onStatus = ({ state }: TransportStatus): void => {
    if (state === "lost") this.#lost = true;
    if (state !== "connected") return;
    if (this.#lost) this.#reconnects++;
    this.#lost = false;
  };

  /** Reasons why the process cannot do its work, each a few words; none if it can. */
  get reasons(): readonly string[] {
    const wanted = [...this.#containers()].filter(([, { isWanted }]) => isWanted);
    const services = wanted.length === 0
      ? ["services: none runs"]
      : wanted.flatMap(([name, { state, pool }]) =>
        state !== "running"
          ? [`service ${name}: ${state}`]
          : pool.size === 0
          ? [`service ${name}: no thread`]
          : []
      );
    if (!this.#isConnected) return ["broker: not connected", ...services];
    // It resumes the consumers that it finds missing.
    const isConsuming = this.transport?.isConsuming?.() ?? true;
    return isConsuming ? services : ["broker: not all queues are consumed", ...services];
  }

  /** Counts the connection, whenever somebody collects the numbers. */
  measure(metrics: Metrics): void {
    const connected = metrics.gauge("enoki_broker_connected", {
      help: "Whether the broker is connected: 1 or 0.",
    }).with();
    const reconnects = metrics.counter("enoki_broker_reconnects_total", {
      help: "Connections to the broker that were made anew after one was lost.",
    }).with();
    metrics.onCollect(() => {
      connected.set(this.#isConnected ? 1 : 0);
      reconnects.value = this.#reconnects;
    });
  }

  get #isConnected(): boolean {
    return this.transport !== undefined && !this.#lost;
  }
}
