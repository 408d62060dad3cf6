import type { HeldCalls } from "../../runtime/hosting/held_calls.ts";
import type { EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import { LogPause } from "../../runtime/log/log_pause.ts";
import type { Counter } from "../../runtime/telemetry/metric.ts";

/** Options of a {@linkcode MessageQueue}. */
export interface MessageQueueOptions {
  /** Most messages that wait. */
  readonly limit: number;
  /** Which message is dropped where `limit` wait already. */
  readonly drop: "oldest" | "newest";
}

interface Waiting {
  readonly message: string | Uint8Array;
  readonly channel: string;
}

/** The messages of one handler that have come and not run yet. Its threads take as many as they can use. */
export class MessageQueue {
  readonly #entry: HostedEntrypoint;
  readonly #host: EntrypointHost;
  readonly #calls: HeldCalls;
  readonly #options: MessageQueueOptions;
  readonly #dropped: Counter;
  #waiting: Waiting[] = [];
  /** Index of the first one that waits. What stands before it has been taken, and goes away from time to time. */
  #first = 0;
  #running = 0;
  /** How many have been dropped since that was told. */
  #untold = 0;
  readonly #told = new LogPause();

  constructor(
    entry: HostedEntrypoint,
    host: EntrypointHost,
    calls: HeldCalls,
    options: MessageQueueOptions,
  ) {
    this.#entry = entry;
    this.#host = host;
    this.#calls = calls;
    this.#options = options;
    this.#dropped = host.metrics.counter("enoki_redis_messages_dropped_total", {
      help: "Messages of Redis channels that were dropped, because too many waited.",
      labels: ["service", "method"],
      kept: 1,
    }).with(host.service, entry.method);
  }

  get #size(): number {
    return this.#waiting.length - this.#first;
  }

  /** Takes a message that has come. */
  put(message: string | Uint8Array, channel: string): void {
    if (this.#running < this.#host.demand) {
      this.#calls.enter();
      this.#run({ message, channel });
      return;
    }
    if (this.#size >= this.#options.limit) {
      this.#tellDropped();
      if (this.#options.drop === "newest") return;
      this.#take();
      this.#calls.leave();
    }
    this.#calls.enter();
    this.#waiting.push({ message, channel });
  }

  /** Forgets what waits. */
  clear(): void {
    for (let left = this.#size; left > 0; left--) this.#calls.leave();
    this.#waiting = [];
    this.#first = 0;
  }

  #take(): Waiting | undefined {
    const taken = this.#waiting[this.#first];
    if (taken === undefined) return undefined;
    if (++this.#first * 2 >= this.#waiting.length) {
      this.#waiting = this.#waiting.slice(this.#first);
      this.#first = 0;
    }
    return taken;
  }

  async #run(first: Waiting): Promise<void> {
    this.#running++;
    for (let next: Waiting | undefined = first; next !== undefined; next = this.#take()) {
      const { message, channel } = next;
      const body = typeof message === "string" ? message : new Uint8Array(message);
      await this.#calls.run(this.#entry, {
        body,
        contentType: undefined,
        headers: undefined,
        message: channel,
      });
      this.#calls.leave();
    }
    this.#running--;
  }

  #tellDropped(): void {
    this.#dropped.add();
    this.#untold++;
    if (!this.#told.tryBegin()) return;
    const { limit, drop } = this.#options;
    const { service, log } = this.#host;
    log.warning(
      `${service}.${this.#entry.method} is slower than its channel: ${this.#untold} messages are dropped, the ` +
        `${drop} first, because ${limit} wait. Give it more threads (max_workers), or a greater limit`,
    );
    this.#untold = 0;
  }
}
