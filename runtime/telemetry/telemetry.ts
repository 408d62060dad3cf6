import type { Invocation, SpanName } from "../channel/port.ts";
import { callerOf, nextSpan, traceparentOf, traceparentOfSpan } from "./trace.ts";
import type { Outcome } from "../message/outcome.ts";
import type { Payload } from "../service/entrypoint.ts";
import type { Manifest } from "../service/manifest.ts";
import type { PlainRecord } from "../message/plain.ts";
import { CallCounts, type EntryCounts } from "./call_counts.ts";
import type { CallOutcome, CallRecord } from "./call_record.ts";
import type { EndedCall } from "./ended_call.ts";
import type { Counter } from "./metric.ts";
import { Metrics } from "./metrics.ts";
import { lossOf, THREAD_LOSSES } from "./measuring/thread_loss.ts";
import { THREAD_RENEWALS, type ThreadRenewal } from "./measuring/thread_renewal.ts";
import { type CallEntry, DEFAULT_RECENT_CALLS, RecentCalls } from "./recent_calls.ts";

/**
 * Gets each call of the process that has ended. It must not throw, and must be quick.
 *
 * `ended` has the message and the result of the call, which may be secret.
 */
export type CallSink = (call: CallRecord, ended: EndedCall) => void;

/** Sinks with what says whether a sink wants the calls of a service. */
type CallSinks = Map<CallSink, (service: string) => boolean>;

/** Names a request that leads to a call, as {@linkcode Payload} takes it. */
export type RequestSpan = Pick<Payload, "span" | "parent">;

/** Gives names to the spans of calls. */
export interface Tracer {
  /**
   * Begins the span of a call, and returns its name.
   *
   * @param entry The same object for each call of an entrypoint.
   * @param parent The span that led to the call; undefined if the call begins a trace.
   * @param options Options of the entrypoint.
   */
  begin(entry: CallEntry, parent: string | undefined, options: PlainRecord): SpanName;
  /** Ends the span of a call that has its outcome, or that nobody has run. @default {nothing is to do} */
  end?(traceparent: string, outcome: Outcome): void;
  /**
   * Returns the `traceparent` of the request that the program is answering now.
   *
   * @param given The span that the client names.
   * @default {the span of the call is that of the request}
   */
  request?(given: string | undefined): string;
}

/** Names spans, and records nothing of them. */
const NAMING_TRACER: Tracer = { begin: nextSpan };

/** Options of {@linkcode Telemetry}. */
export interface TelemetryOptions {
  /** Number of calls that the process remembers for traces and rates. @default {10_000} */
  readonly recentCalls?: number;
}

/** What can be seen of the calls of a process: their traces, their numbers, and the latest of them. */
export class Telemetry {
  readonly metrics: Metrics = new Metrics();
  readonly recent: RecentCalls;
  /** What names the spans of calls. @default {random ids} */
  tracer: Tracer = NAMING_TRACER;
  readonly #counts = new CallCounts(this.metrics);
  readonly #sinks: CallSinks = new Map();

  constructor({ recentCalls = DEFAULT_RECENT_CALLS }: TelemetryOptions = {}) {
    this.recent = new RecentCalls(recentCalls);
  }

  /**
   * Hands each call that has ended to `sink`.
   *
   * @param wants Says whether the sink wants the calls of a service at present. @default {it wants all}
   * @returns Ends that.
   */
  addSink(sink: CallSink, wants: (service: string) => boolean = () => true): () => void {
    this.#sinks.set(sink, wants);
    return () => void this.#sinks.delete(sink);
  }

  /** Names a request, which leads to calls, as a span of the trace that the client names, or of a new one. */
  traceRequest(given: string | undefined): RequestSpan {
    const { tracer } = this;
    return tracer.request === undefined
      ? { span: nextSpan(), parent: given }
      : { parent: tracer.request(given) };
  }

  /** Watches the calls of one service. */
  watch({ name: service, entrypoints }: Pick<Manifest, "name" | "entrypoints">): CallWatch {
    const entries = entrypoints.map(({ method, kind }): CallEntry => ({ service, method, kind }));
    const series = entries.map((entry) => this.#counts.of(entry));
    const options = entrypoints.map(({ options }) => options);
    const losses = this.metrics.counter("enoki_threads_lost_total", {
      help: "Threads that served and were lost, by the class of the reason.",
      labels: ["service", "reason"],
    });
    const renewals = this.metrics.counter("enoki_threads_renewed_total", {
      help: "Threads in whose place others were started, by the limit that they had come to.",
      labels: ["service", "reason"],
    });
    const threads = {
      lost: Object.fromEntries(THREAD_LOSSES.map((loss) => [loss, losses.with(service, loss)])),
      renewed: Object.fromEntries(THREAD_RENEWALS.map((reason) => [reason, renewals.with(service, reason)])),
    };
    return new CallWatch(entries, options, series, threads, this, this.#counts, this.#sinks);
  }
}

/** Watches the calls of one service. */
export class CallWatch {
  readonly #entries: readonly CallEntry[];
  readonly #options: readonly PlainRecord[];
  readonly #series: readonly EntryCounts[];
  readonly #threads: ThreadCounters;
  readonly #telemetry: Telemetry;
  readonly #counts: CallCounts;
  readonly #sinks: Readonly<CallSinks>;

  /** Use {@linkcode Telemetry.watch}. */
  constructor(
    entries: readonly CallEntry[],
    options: readonly PlainRecord[],
    series: readonly EntryCounts[],
    threads: ThreadCounters,
    telemetry: Telemetry,
    counts: CallCounts,
    sinks: Readonly<CallSinks>,
  ) {
    this.#entries = entries;
    this.#options = options;
    this.#series = series;
    this.#threads = threads;
    this.#telemetry = telemetry;
    this.#counts = counts;
    this.#sinks = sinks;
  }

  /** Begins the span of a call of the entrypoint at a place in the manifest. */
  begin(entrypoint: number, { span, parent, headers }: Payload): Pick<Invocation, "span" | "parent"> {
    const named = traceparentOf(headers);
    const from = parent ?? named;
    const { tracer } = this.#telemetry;
    const name = span ?? tracer.begin(this.#entries[entrypoint]!, from, this.#options[entrypoint]!);
    return {
      // The thread makes the name of a number with what the headers say.
      span: from === named ? name : traceparentOfSpan(name, from),
      // With OpenTelemetry, a span of its own stands between a call and the call that has sent it.
      parent: from && (callerOf(headers, from) ?? from),
    };
  }

  /** Takes a call that has its outcome. A call that no thread has run, and that comes again, is not counted. */
  readonly ended = (ended: EndedCall): void => {
    const { invocation, outcome, thread, took, endedAt, ran } = ended;
    const { entrypoint, span, parent } = invocation;
    if (typeof span === "string") this.#telemetry.tracer.end?.(span, outcome);
    if (outcome.status === "unstarted") return;
    const entry = this.#entries[entrypoint];
    if (entry === undefined) return;
    // A thread that was lost, or a call that was refused, says nothing of the time in the thread.
    const waited = ran === undefined ? 0 : Math.max(0, took - ran);
    const how = outcomeOf(outcome);
    const error = errorOf(outcome);
    this.#counts.count(entry, this.#series[entrypoint]!, how, error, took, waited);
    this.#telemetry.recent.keep(entry, span, parent, endedAt, took, waited, thread, how, error);
    if (this.#sinks.size === 0) return;
    const at = Date.now() - took;
    let record: CallRecord | undefined;
    for (const [sink, wants] of this.#sinks) {
      if (!wants(entry.service)) continue;
      const traceparent = span === undefined ? undefined : traceparentOfSpan(span, parent);
      record ??= { ...entry, traceparent, parent, at, took, waited, thread, outcome: how, error };
      sink(record, ended);
    }
  };

  /** Takes the reason why a thread of the service was lost. */
  readonly threadLost = (reason: string): void => this.#threads.lost[lossOf(reason)]!.add();

  /** Takes the reason why another thread has taken the place of a thread. */
  readonly threadRenewed = (reason: ThreadRenewal): void => this.#threads.renewed[reason]!.add();
}

/** Counts the threads of a service that have gone, by the reason. */
interface ThreadCounters {
  readonly lost: Readonly<Record<string, Counter>>;
  readonly renewed: Readonly<Record<string, Counter>>;
}

type Ended = Exclude<Outcome, { readonly status: "unstarted" }>;

function outcomeOf(outcome: Ended): CallOutcome {
  const fault = outcome.status === "done" ? outcome.fault : outcome;
  return fault === undefined ? "ok" : fault.expected ? "expected" : "failed";
}

function errorOf(outcome: Ended): string | undefined {
  return outcome.status === "done" ? outcome.fault?.name : outcome.failure.name;
}
