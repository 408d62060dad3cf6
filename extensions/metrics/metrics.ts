import { dependency, type DependencyHost, type DependencySpec } from "../../runtime/service/dependency.ts";
import { WakeTimer } from "../../runtime/waiting/wake_timer.ts";
import { MOST_METRICS, MOST_VALUES, type OwnMetricKind, type Refusal } from "./batch.ts";
import { type HistogramOptions, type MetricLabels, type MetricOptions, OwnMetric } from "./own_metric.ts";

/** A number of a service that only grows. */
export interface Counter {
  /**
   * Adds to the counter.
   *
   * @param amount What to add, 0 or more. @default {1}
   */
  add(amount?: number, labels?: MetricLabels): void;
}

/** A number of a service that goes up and down. Whatever thread sets it, there is one for all threads. */
export interface Gauge {
  /** Sets the present value. */
  set(value: number, labels?: MetricLabels): void;
  /**
   * Adds to the present value.
   *
   * @param amount What to add, also less than 0. @default {1}
   */
  add(amount?: number, labels?: MetricLabels): void;
}

/** The distribution of values in a service. */
export interface Histogram {
  /** Counts a value in its bucket. */
  record(value: number, labels?: MetricLabels): void;
}

/**
 * The metrics of a service. A name stands for the same metric in all threads of the service, and in all services of the
 * process: they differ in the label `service`.
 *
 * The numbers live in the main thread. A thread tells it once a second, and at its end, what has changed; a thread that
 * is lost takes with it what it has not told yet.
 *
 * @throws {TypeError} All methods do if a name is no name, or names a metric of another kind or with other options.
 */
export interface ServiceMetrics {
  /** Gives the counter of that name, which all threads of the process share. */
  counter(name: string, options?: MetricOptions): Counter;
  /** Gives the gauge of that name, which all threads of the process share. */
  gauge(name: string, options?: MetricOptions): Gauge;
  /** Gives the histogram of that name, which all threads of the process share. */
  histogram(name: string, options?: HistogramOptions): Histogram;
}

/** Milliseconds after which a thread tells of what has changed. */
const TELL_AFTER = 1_000;

/**
 * Injects what counts and measures, for Prometheus, StatsD and OpenTelemetry.
 *
 * @example
 * ```ts ignore
 * import { metrics, rpc, service } from "@enoki/enoki";
 *
 * export default service("orders", {
 *   dependencies: { metrics: metrics() },
 *   entrypoints: { place: rpc() },
 *   handlers: {
 *     place({ metrics }, order: Order) {
 *       const placed = metrics.counter("orders_placed_total", { help: "Orders.", labels: ["card"] });
 *       placed.add(1, { card: order.card ?? "none" });
 *     },
 *   },
 * });
 * ```
 */
export function metrics(): DependencySpec<ServiceMetrics> {
  return dependency({
    kind: "metrics",
    bind: (host) => {
      const told = new ThreadMetrics(host);
      return { get: () => told, [Symbol.asyncDispose]: () => told[Symbol.asyncDispose]() };
    },
  });
}

/** The metrics of a service in one thread. */
class ThreadMetrics implements ServiceMetrics, AsyncDisposable {
  readonly #host: DependencyHost;
  readonly #metrics = new Map<string, OwnMetric>();
  readonly #timer = new WakeTimer(() => void this.#tell(), { keepsAlive: false });
  #telling: Promise<void> = Promise.resolve();
  #values = 0;

  constructor(host: DependencyHost) {
    this.#host = host;
  }

  counter(name: string, options: MetricOptions = {}): Counter {
    const metric = this.#of(name, "counter", options);
    return {
      add: (amount = 1, labels) => {
        metric.add(amount, labels);
        this.#changed();
      },
    };
  }

  gauge(name: string, options: MetricOptions = {}): Gauge {
    const metric = this.#of(name, "gauge", options);
    return {
      set: (value, labels) => {
        metric.set(value, labels);
        this.#changed();
      },
      add: (amount = 1, labels) => {
        metric.add(amount, labels);
        this.#changed();
      },
    };
  }

  histogram(name: string, options: HistogramOptions = {}): Histogram {
    const metric = this.#of(name, "histogram", options);
    return {
      record: (value, labels) => {
        metric.record(value, labels);
        if (++this.#values >= MOST_VALUES) void this.#tell();
        else this.#changed();
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#timer.close();
    await this.#tell();
  }

  #of(name: string, kind: OwnMetricKind, options: HistogramOptions): OwnMetric {
    const known = this.#metrics.get(name);
    if (known !== undefined) {
      known.require(kind, options);
      return known;
    }
    if (this.#metrics.size >= MOST_METRICS) {
      throw new TypeError(
        `Cannot make the ${kind} "${name}": the service has ${MOST_METRICS} metrics already. ` +
          "Put what differs into labels",
      );
    }
    const metric = new OwnMetric(name, kind, options);
    this.#metrics.set(name, metric);
    return metric;
  }

  #changed(): void {
    if (!this.#timer.isSet) this.#timer.by(performance.now() + TELL_AFTER);
  }

  /** Tells the main thread what has changed, one batch after the other. Never rejects. */
  #tell(): Promise<void> {
    const batch = [...this.#metrics.values()].map((metric) => metric.take()).filter((changes) =>
      changes !== undefined
    );
    this.#values = 0;
    if (batch.length === 0) return this.#telling;
    const body = JSON.stringify(batch);
    return this.#telling = this.#telling.then(() => this.#send(body));
  }

  async #send(body: string): Promise<void> {
    const { log } = this.#host;
    try {
      const refusals = JSON.parse(String(await this.#host.ask(body))) as readonly Refusal[];
      for (const [name, reason] of refusals) {
        const metric = this.#metrics.get(name);
        if (metric === undefined || metric.refusal !== undefined) continue;
        metric.refusal = reason;
        log.error(`Cannot use the ${metric.kind} "${name}": ${reason}`);
      }
    } catch (error) {
      log.warning(`Cannot tell of metrics, whose latest changes are lost: ${(error as Error).message}`);
    }
  }
}
