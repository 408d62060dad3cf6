/**
 * The latest calls of a process, from which a trace and the present rates are read.
 *
 * It is a ring of columns: to keep a call stores a few numbers and references, and makes no object. The oldest call
 * gives way to the newest.
 */
import type { CallOutcome, CallRecord } from "./call_record.ts";
import type { SpanName } from "../channel/port.ts";
import { TRACE_AT, traceparentOfSpan } from "./trace.ts";

/** The entrypoint of a call. */
export interface CallEntry {
  readonly service: string;
  readonly method: string;
  readonly kind: string;
}

/** Number of calls that a process remembers, unless the configuration says otherwise. */
export const DEFAULT_RECENT_CALLS = 10_000;

/** Milliseconds that {@linkcode RecentCalls.rates} looks back at most. */
const RATES_WINDOW = 10_000;

/** What the latest calls of a service say about it. */
export interface CallRates {
  /** Calls that ended in a second. */
  readonly calls: number;
  /** Calls that ended in a second with an error that their entrypoint does not expect. */
  readonly errors: number;
  /** Milliseconds that half of the calls took at most; undefined if there was no call. */
  readonly p50: number | undefined;
  /** Milliseconds that 99 of 100 calls took at most; undefined if there was no call. */
  readonly p99: number | undefined;
}

const OUTCOMES: readonly CallOutcome[] = ["ok", "expected", "failed"];

/** Remembers the latest calls. */
export class RecentCalls {
  readonly #size: number;
  readonly #entries: CallEntry[] = [];
  /** The spans that have a name, and the numbers of the others; 0 for none. */
  readonly #names: (string | undefined)[] = [];
  readonly #numbers: Float64Array;
  readonly #parents: (string | undefined)[] = [];
  readonly #threads: (string | undefined)[] = [];
  readonly #errors: (string | undefined)[] = [];
  /** Times as `performance.now()` gives them. */
  readonly #endedAt: Float64Array;
  readonly #took: Float64Array;
  readonly #waited: Float64Array;
  readonly #outcomes: Uint8Array;
  #next = 0;
  #kept = 0;

  /** @param size Number of calls to remember, at least 1. */
  constructor(size: number) {
    this.#size = size;
    this.#numbers = new Float64Array(size);
    this.#endedAt = new Float64Array(size);
    this.#took = new Float64Array(size);
    this.#waited = new Float64Array(size);
    this.#outcomes = new Uint8Array(size);
  }

  /** Keeps a call that has just ended. */
  keep(
    entry: CallEntry,
    span: SpanName | undefined,
    parent: string | undefined,
    endedAt: number,
    took: number,
    waited: number,
    thread: string | undefined,
    outcome: CallOutcome,
    error: string | undefined,
  ): void {
    const place = this.#next;
    this.#entries[place] = entry;
    const isNamed = typeof span === "string";
    this.#names[place] = isNamed ? span : undefined;
    this.#numbers[place] = isNamed || span === undefined ? 0 : span;
    this.#parents[place] = parent;
    this.#threads[place] = thread;
    this.#errors[place] = error;
    this.#endedAt[place] = endedAt;
    this.#took[place] = took;
    this.#waited[place] = waited;
    this.#outcomes[place] = OUTCOMES.indexOf(outcome);
    this.#next = place + 1 === this.#size ? 0 : place + 1;
    if (this.#kept < this.#size) this.#kept++;
  }

  /** Gives the calls of a trace, in the order in which they ended. `trace` may be the first digits of its id. */
  ofTrace(trace: string): readonly CallRecord[] {
    const found: CallRecord[] = [];
    for (const place of this.#places()) {
      if (this.#traceparent(place)?.startsWith(trace, TRACE_AT)) found.push(this.#record(place));
    }
    return found.reverse();
  }

  /** Says how many calls of a service have ended lately, and how long they took. */
  rates(service: string): CallRates {
    const now = performance.now();
    const took: number[] = [];
    let errors = 0;
    let since = now - RATES_WINDOW;
    for (const place of this.#places()) {
      if (this.#endedAt[place]! < since) break;
      if (this.#entries[place]!.service !== service) continue;
      took.push(this.#took[place]!);
      if (OUTCOMES[this.#outcomes[place]!] === "failed") errors++;
    }
    // A busy process forgets calls sooner than the window ends.
    if (this.#kept === this.#size) since = Math.max(since, this.#endedAt[this.#next]!);
    const seconds = Math.max(now - since, 1) / 1_000;
    took.sort((a, b) => a - b);
    return {
      calls: took.length / seconds,
      errors: errors / seconds,
      p50: took[Math.ceil(took.length * 0.5) - 1],
      p99: took[Math.ceil(took.length * 0.99) - 1],
    };
  }

  /** The places of all calls, the newest first. */
  *#places(): Iterable<number> {
    for (let back = 1; back <= this.#kept; back++) {
      yield (this.#next - back + this.#size) % this.#size;
    }
  }

  #traceparent(place: number): string | undefined {
    const span = this.#numbers[place]! > 0 ? this.#numbers[place]! : this.#names[place];
    return span === undefined ? undefined : traceparentOfSpan(span, this.#parents[place]);
  }

  #record(place: number): CallRecord {
    const { service, method, kind } = this.#entries[place]!;
    const took = this.#took[place]!;
    return {
      service,
      method,
      kind,
      traceparent: this.#traceparent(place),
      parent: this.#parents[place],
      at: Date.now() - (performance.now() - this.#endedAt[place]!) - took,
      took,
      waited: this.#waited[place]!,
      thread: this.#threads[place],
      outcome: OUTCOMES[this.#outcomes[place]!]!,
      error: this.#errors[place],
    };
  }
}
