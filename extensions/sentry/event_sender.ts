/**
 * Sends events to Sentry, one after the other.
 *
 * Invariant: at most {@linkcode MOST_WAITING} events wait. An event is sent once or dropped: Sentry must never hold up
 * the services, and a Sentry that does not answer must not cost memory.
 */
import { within } from "../../runtime/waiting/abort.ts";
import type { Log } from "../../runtime/log/log.ts";
import { LogPause } from "../../runtime/log/log_pause.ts";
import type { Dsn } from "./dsn.ts";
import type { SentryEvent } from "./failure_event.ts";

/** Most events that wait to be sent. Later ones are dropped. */
const MOST_WAITING = 100;

/** Milliseconds that Sentry has to take an event. */
const SEND_LIMIT = 10_000;

/** Milliseconds for which nothing is sent when Sentry says that it gets too much, and not for how long. */
const DEFAULT_REST = 60_000;

/** Sends events to one project of Sentry. Disposing it drops what has not been sent. */
export class EventSender implements Disposable {
  readonly #dsn: Dsn;
  readonly #log: Log;
  readonly #waiting: SentryEvent[] = [];
  readonly #closing = new AbortController();
  #sending: Promise<void> | undefined;
  #restsUntil = 0;
  #lost = 0;
  readonly #pause = new LogPause();

  constructor(dsn: Dsn, log: Log) {
    this.#dsn = dsn;
    this.#log = log;
  }

  send(event: SentryEvent): void {
    if (this.#waiting.length >= MOST_WAITING || Date.now() < this.#restsUntil) {
      return this.#lose("Sentry gets more than it takes");
    }
    this.#waiting.push(event);
    this.#sending ??= this.#sendAll().finally(() => this.#sending = undefined);
  }

  /** Waits until everything has been sent, but not longer than `limit` milliseconds. */
  async flush(limit: number): Promise<void> {
    if (this.#sending !== undefined) await within(limit, this.#sending);
  }

  [Symbol.dispose](): void {
    this.#waiting.length = 0;
    this.#closing.abort();
  }

  async #sendAll(): Promise<void> {
    for (let event = this.#waiting.shift(); event !== undefined; event = this.#waiting.shift()) {
      try {
        await this.#post(event);
      } catch (error) {
        if (!this.#closing.signal.aborted) this.#lose((error as Error).message);
      }
    }
  }

  async #post(event: SentryEvent): Promise<void> {
    const { endpoint, key } = this.#dsn;
    const { event_id } = event;
    const parts = [{ event_id, sent_at: new Date().toISOString() }, { type: "event" }, event];
    const response = await fetch(endpoint, {
      method: "POST",
      headers: {
        "content-type": "application/x-sentry-envelope",
        "x-sentry-auth": `Sentry sentry_version=7, sentry_client=enoki/1.0, sentry_key=${key}`,
      },
      body: parts.map((part) => JSON.stringify(part)).join("\n"),
      signal: AbortSignal.any([this.#closing.signal, AbortSignal.timeout(SEND_LIMIT)]),
    });
    await response.body?.cancel();
    if (response.status === 429) {
      const seconds = Number(response.headers.get("retry-after") ?? NaN);
      this.#restsUntil = Date.now() + (seconds >= 0 ? seconds * 1_000 : DEFAULT_REST);
    }
    if (!response.ok) this.#lose(`Sentry answered ${response.status}`);
  }

  #lose(reason: string): void {
    this.#lost++;
    if (!this.#pause.tryBegin()) return;
    const failures = this.#lost === 1 ? "a failure" : `${this.#lost} failures`;
    this.#log.warning(`Cannot report ${failures} to Sentry at ${this.#dsn.host}: ${reason}`);
    this.#lost = 0;
  }
}
