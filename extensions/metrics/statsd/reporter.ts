import { StatsD } from "npm:hot-shots@17.1.1";
import { within } from "../../../runtime/waiting/abort.ts";
import type { Log } from "../../../runtime/log/log.ts";
import { LogPause } from "../../../runtime/log/log_pause.ts";
import type { Counter, Gauge, Metric } from "../../../runtime/telemetry/metric.ts";
import type { Metrics } from "../../../runtime/telemetry/metrics.ts";
import { CounterDeltas } from "../../../runtime/telemetry/measuring/counter_deltas.ts";
import type { StatsdSettings } from "./settings.ts";

/** Values of one series of a histogram that are reported one by one in an interval. Of more, a sample is reported. */
const SAMPLES = 100;

/** Milliseconds that the last report may take. */
const CLOSE_LIMIT = 1_000;

/** Bytes that go to a server over TCP at a time. */
const TCP_BUFFER = 8_192;

/**
 * Reports the numbers of a process to a StatsD server: in each interval, by how much counters have grown, and what
 * gauges are; and the values of histograms as they come, durations in milliseconds.
 */
export class StatsdReporter implements AsyncDisposable {
  readonly #metrics: Metrics;
  readonly #settings: StatsdSettings;
  readonly #client: StatsD;
  readonly #deltas = new CounterDeltas();
  readonly #samplers = new Set<Sampler>();
  readonly #untap: () => void;
  readonly #timer: ReturnType<typeof setInterval>;

  constructor(metrics: Metrics, settings: StatsdSettings, log: Log) {
    const { host, port, prefix, protocol, ipv6, maxDatagram, interval } = settings;
    this.#metrics = metrics;
    this.#settings = settings;
    const pause = new LogPause();
    this.#client = new StatsD({
      host,
      port,
      protocol,
      ...(prefix !== undefined && { prefix: `${prefix.replace(/\.+$/, "")}.` }),
      ...(ipv6 && { udpSocketOptions: { type: "udp6" } }),
      maxBufferSize: protocol === "tcp" ? TCP_BUFFER : maxDatagram,
      bufferFlushInterval: Math.min(1_000, interval),
      closingFlushInterval: 10,
      datadog: false,
      errorHandler: (error) => {
        if (pause.tryBegin()) log.warning(`Cannot report to StatsD at ${host}:${port}: ${error.message}`);
      },
    });
    this.#untap = metrics.tap((metric, labels) => {
      const isDuration = metric.options.unit === "seconds";
      const [name, tags] = this.#nameOf(metric, labels, isDuration ? /_seconds$/ : undefined);
      const sampler = new Sampler((value, rate) =>
        this.#client.timing(name, isDuration ? Math.round(value * 1e6) / 1_000 : value, rate, tags)
      );
      this.#samplers.add(sampler);
      return sampler.take;
    });
    this.#timer = setInterval(() => this.#report(), interval);
    Deno.unrefTimer(this.#timer);
  }

  /** Reports the last numbers, in a second at most. */
  async [Symbol.asyncDispose](): Promise<void> {
    clearInterval(this.#timer);
    this.#untap();
    this.#report();
    const { promise, resolve } = Promise.withResolvers<void>();
    this.#client.close(() => resolve());
    await within(CLOSE_LIMIT, promise);
  }

  #report(): void {
    for (const sampler of this.#samplers) sampler.begin();
    for (const metric of this.#metrics.collect()) {
      if (metric.kind === "histogram") continue;
      for (const { labels, value } of metric.series) {
        const [name, tags] = this.#nameOf(metric, labels);
        if (metric.kind === "gauge") this.#reportGauge(name, (value as Gauge).value, tags);
        else {
          const delta = this.#deltas.of(value as Counter);
          if (delta > 0) this.#client.increment(name, delta, tags);
        }
      }
    }
  }

  #reportGauge(name: string, value: number, tags: string[]): void {
    // Without tags, a number with a sign is taken for a change.
    if (value < 0 && !this.#settings.tags) this.#client.gauge(name, 0, tags);
    if (Number.isFinite(value)) this.#client.gauge(name, value, tags);
  }

  /**
   * Gives the name of a series: with the labels in it, or with tags.
   *
   * @param without What the name loses, because the values are in another unit.
   */
  #nameOf(
    { name: full, options }: Metric<unknown>,
    labels: readonly string[],
    without?: RegExp,
  ): readonly [string, string[]] {
    const name = without === undefined ? full : full.replace(without, "");
    if (!this.#settings.tags) return [[name, ...labels.map(partOf)].join("."), []];
    const names = options.labels ?? [];
    return [name, labels.map((label, index) => `${names[index]}:${label.replaceAll(/[|,#\s]/g, "_")}`)];
  }
}

/** Makes a part of a name of a label. The rule of a request becomes `orders__id_`. */
function partOf(label: string): string {
  return label.replace(/^\/(?=.)/, "").replaceAll(/[^\w-]/g, "_") || "none";
}

/** Hands on the first values in each interval, and of those after them a sample, with its rate. */
class Sampler {
  readonly #send: (value: number, rate: number) => void;
  #seen = 0;

  /** @param send Sends a value, with the probability `rate`. */
  constructor(send: (value: number, rate: number) => void) {
    this.#send = send;
  }

  begin(): void {
    this.#seen = 0;
  }

  readonly take = (value: number): void => {
    this.#seen++;
    this.#send(value, this.#seen <= SAMPLES ? 1 : SAMPLES / this.#seen);
  };
}
