import type { Metrics } from "../runtime/telemetry/metrics.ts";
import type { Transport, TransportStatus } from "../runtime/message/transport.ts";
import type { ContainerState } from "../runtime/serving/container.ts";

/** The part of a container that says whether its service can work. */
export interface ReadyContainer {
  readonly state: ContainerState;
  /** Whether the service is to run. One that somebody has stopped is missed by nobody. */
  readonly isWanted: boolean;
  /** Why the service has been given up. */
  readonly failure: Error | undefined;
  readonly pool: { readonly size: number; readonly ready: number; readonly failedStarts: number };
}

/**
 * Says in a few words why a service cannot work; undefined if it can. Anybody may read that, so it tells nothing that
 * the service has written.
 */
function troubleOf({ state, failure, pool }: ReadyContainer): string | undefined {
  if (failure !== undefined) return `${state}, because its process has crashed again and again`;
  if (state !== "running") return state;
  // A thread that starts is soon there, unless the starts before it have failed.
  const mayBeThere = pool.ready > 0 || pool.size > 0 && pool.failedStarts === 0;
  return mayBeThere ? undefined : "no thread";
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
    const services = wanted.length === 0 ? ["services: none runs"] : wanted.flatMap(([name, container]) => {
      const trouble = troubleOf(container);
      return trouble === undefined ? [] : [`service ${name}: ${trouble}`];
    });
    if (!this.#isConnected) return ["broker: not connected", ...services];
    // It resumes the consumers that it finds missing.
    const isConsuming = this.transport?.isConsuming?.() ?? true;
    return isConsuming ? services : ["broker: not all queues are consumed", ...services];
  }

  /** Counts the connection and the services, whenever somebody collects the numbers. */
  measure(metrics: Metrics): void {
    const connected = metrics.gauge("enoki_broker_connected", {
      help: "Whether the broker is connected: 1 or 0.",
    }).with();
    const reconnects = metrics.counter("enoki_broker_reconnects_total", {
      help: "Connections to the broker that were made anew after one was lost.",
    }).with();
    const down = metrics.gauge("enoki_service_down", {
      help: "Whether a service that is to run cannot work: 1 or 0.",
      labels: ["service"],
    });
    metrics.onCollect(() => {
      for (const [name, container] of this.#containers()) {
        down.with(name).set(container.isWanted && troubleOf(container) !== undefined ? 1 : 0);
      }
      connected.set(this.#isConnected ? 1 : 0);
      reconnects.value = this.#reconnects;
    });
  }

  get #isConnected(): boolean {
    return this.transport !== undefined && !this.#lost;
  }
}
