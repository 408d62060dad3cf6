/**
 * The limits of the methods of one service. A host whose entrypoints have limits gets an {@linkcode EntrypointHost}
 * that keeps to them; all others get the container's own, so that limits cost nothing where there are none.
 *
 * The rule for a queue that several methods share, as those of RPC do: calls that are held must not fill the prefetch,
 * or the other methods would get nothing. So the demand grows with what is held: it doubles its allowance whenever
 * that is used up, and halves it when three quarters are free. What is held is bounded, because whoever calls a method
 * of which {@linkcode MOST_WAITING} calls wait is refused at once.
 *
 * Methods of one kind that differ in priority get {@linkcode CHOICE} deliveries more than can run. Without them, the
 * order would be that of the queue, because calls would wait in the broker and not for a thread.
 */
import type { OverLimit } from "../../service/limits/method_limits.ts";
import type { Rate } from "../../service/limits/rate.ts";
import type { Metrics } from "../../telemetry/metrics.ts";
import type { EntrypointHost, HostedEntrypoint } from "../host.ts";
import { EntryLimit } from "./entry_limit.ts";

/** Number of deliveries beyond those that can run, among which the priorities of methods have something to choose. */
const CHOICE = 100;

/** Smallest allowance for calls that are held. */
const LEAST_ALLOWANCE = 16;

/** The limits of the methods of one service. */
export class CallLimits {
  readonly #limits: EntryLimit[] = [];

  /** Gives the host for the entrypoints of one kind. */
  hostFor(entries: readonly HostedEntrypoint[], host: EntrypointHost): EntrypointHost {
    const allowance = new Allowance();
    const limits: (EntryLimit | undefined)[] = [];
    for (const { index, method, options } of entries) {
      const { concurrency, rate, overLimit = "hold" } = options as LimitOptions;
      if (concurrency === undefined && rate === undefined) continue;
      const { held, refused } = countsOf(host, method);
      limits[index] = new EntryLimit({
        name: `${host.service}.${method}`,
        concurrency,
        rate,
        overLimit,
        clock: host.clock,
        onHeld(more) {
          held.add(more);
          allowance.add(more);
        },
        onRefused: (reason) => refused.with(host.service, method, reason).add(),
      });
    }
    const all = Object.values(limits) as EntryLimit[];
    const choice = new Set(entries.map(({ priority = 0 }) => priority)).size > 1 ? CHOICE : 0;
    if (all.length === 0 && choice === 0) return host;
    this.#limits.push(...all);
    let lowered = false;
    return {
      ...host,
      get demand() {
        return host.demand + choice + allowance.size;
      },
      onDemand(listener) {
        let former = host.demand;
        host.onDemand((demand) => {
          lowered = demand < former;
          former = demand;
          listener(demand + choice + allowance.size);
        });
        allowance.onChange(() => {
          lowered = false;
          listener(host.demand + choice + allowance.size);
        });
      },
      // Less allowance is no reason to give calls back that wait for a thread.
      shed: () => lowered && host.shed(),
      run(entry, payload, cancellation) {
        const limit = limits[entry.index];
        const start = () => host.run(entry, payload, cancellation);
        return limit === undefined
          ? start()
          : limit.run(start, payload.answerBy ?? payload.deadline, cancellation);
      },
    };
  }

  /** Gives back the calls that are held, with the outcome `unstarted`. */
  giveBack(reason: "shed" | "stopping"): void {
    for (const limit of this.#limits) limit.giveBack(reason);
  }
}

/** The options of an entrypoint that are its limits. */
interface LimitOptions {
  readonly concurrency?: number;
  readonly rate?: Rate;
  readonly overLimit?: OverLimit;
}

/**
 * Returns how many deliveries a consumer takes whose queue belongs to one entrypoint: no more than its limits let it
 * run, so that the others stay in the queue for other processes.
 *
 * @param demand The number without limits.
 */
export function prefetchOf({ options }: Pick<HostedEntrypoint, "options">, demand: number): number {
  const { concurrency = Infinity, rate } = options as LimitOptions;
  const atOnce = rate === undefined ? Infinity : Math.max(1, Math.ceil(rate.burst ?? rate.perSecond));
  return Math.min(demand, concurrency, atOnce);
}

/** How many deliveries more than usual a consumer may have because of calls that are held. */
class Allowance {
  #held = 0;
  #size = 0;
  readonly #listeners: (() => void)[] = [];

  get size(): number {
    return this.#size;
  }

  onChange(listener: () => void): void {
    this.#listeners.push(listener);
  }

  add(more: number): void {
    this.#held += more;
    const size = this.#held > this.#size
      ? Math.max(LEAST_ALLOWANCE, 2 * this.#size)
      : this.#held < this.#size / 4
      ? (this.#size <= LEAST_ALLOWANCE ? (this.#held === 0 ? 0 : this.#size) : this.#size / 2)
      : this.#size;
    if (size === this.#size) return;
    this.#size = size;
    for (const listener of this.#listeners) listener();
  }
}

function countsOf(
  { service, metrics }: Pick<EntrypointHost, "service"> & { metrics: Metrics },
  method: string,
) {
  const labels = ["service", "method"];
  return {
    held: metrics.gauge("enoki_calls_held", {
      help: "Calls that wait because of the limits of their method.",
      labels,
    }).with(service, method),
    refused: metrics.counter("enoki_calls_refused_total", {
      help: "Calls that have not begun because of the limits of their method.",
      labels: [...labels, "reason"],
    }),
  };
}
