import { decodeCallHeaders } from "../../runtime/message/call_headers.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import type { Log, LogRecord } from "../../runtime/log/log.ts";
import { observeRecords } from "../../runtime/log/observe.ts";
import type { Telemetry } from "../../runtime/telemetry/telemetry.ts";
import { spanIdOf } from "../../runtime/telemetry/trace.ts";
import { WakeTimer } from "../../runtime/waiting/wake_timer.ts";
import { EventSender } from "./event_sender.ts";
import { failureEvent } from "./failure_event.ts";
import type { SentrySettings } from "./settings.ts";

/** Most calls whose failures wait for the end of their call. The oldest one is then reported without its context. */
const MOST_HELD = 1_000;

/** Milliseconds after which a failure is reported even if its call has not ended, or has ended before. */
const HOLD_LIMIT = 1_000;

/** Milliseconds that the last reports may take. */
const FLUSH_LIMIT = 2_000;

/** The failures of one call. */
interface Held {
  readonly records: LogRecord[];
  /** Time of the first of them. */
  readonly since: number;
}

/**
 * Reports the calls that fail to Sentry.
 *
 * The log says what has failed, and the pool says of which call. So a record of the log waits until its call ends, which
 * is a moment later, and gets the context data of the call.
 */
export class SentryReporter implements AsyncDisposable {
  readonly #settings: SentrySettings;
  readonly #sender: EventSender;
  /** The failures of calls that have not ended, by the ids of their spans. */
  readonly #held = new Map<string, Held>();
  readonly #timer = new WakeTimer(() => this.#releaseOld(), { keepsAlive: false });
  readonly #ends: readonly (() => void)[];

  constructor(settings: SentrySettings, telemetry: Telemetry, log: Log) {
    this.#settings = settings;
    this.#sender = new EventSender(settings.dsn, log);
    this.#ends = [
      observeRecords((record) => this.#take(record), settings.reportsExpected ? "info" : "error"),
      telemetry.addSink(({ traceparent }, { invocation }) => {
        if (this.#held.size === 0 || traceparent === undefined) return;
        this.#release(spanIdOf(traceparent), decodeCallHeaders(invocation.headers).data);
      }),
    ];
  }

  async [Symbol.asyncDispose](): Promise<void> {
    for (const end of this.#ends) end();
    this.#timer.close();
    for (const span of [...this.#held.keys()]) this.#release(span, {});
    await this.#sender.flush(FLUSH_LIMIT);
    this.#sender[Symbol.dispose]();
  }

  #take(record: LogRecord): void {
    if (!this.#isReported(record)) return;
    const span = record.fields?.span;
    // Where telemetry is off, no call has a span, and nobody says when one ends.
    if (span === undefined) return this.#report(record, {});
    const held = this.#held.get(span);
    if (held !== undefined) return void held.records.push(record);
    const since = performance.now();
    this.#held.set(span, { records: [record], since });
    this.#timer.by(since + HOLD_LIMIT);
    if (this.#held.size > MOST_HELD) this.#release(this.#held.keys().next().value!, {});
  }

  /** The oldest failures stand first. */
  #releaseOld(): void {
    const now = performance.now();
    for (const [span, { since }] of this.#held) {
      if (now < since + HOLD_LIMIT) return this.#timer.by(since + HOLD_LIMIT);
      this.#release(span, {});
    }
  }

  /** Lines about calls that end have an outcome, too, but only failures are errors or expected. */
  #isReported({ level, fields: { outcome, ms } = {} }: LogRecord): boolean {
    if (outcome === "failed") return level === "error";
    return outcome === "expected" && ms === undefined && this.#settings.reportsExpected;
  }

  #release(span: string, context: FieldTable): void {
    const held = this.#held.get(span);
    if (held === undefined) return;
    this.#held.delete(span);
    for (const record of held.records) this.#report(record, context);
  }

  #report(record: LogRecord, context: FieldTable): void {
    const { sampleRate } = this.#settings;
    if (sampleRate < 1 && Math.random() >= sampleRate) return;
    this.#sender.send(failureEvent(record, context, this.#settings));
  }
}
