/** The calls of a trace that a process remembers, as they are told and read. */
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";
import type { CallOutcome, CallRecord } from "../../runtime/telemetry/call_record.ts";
import type { RecentCalls } from "../../runtime/telemetry/recent_calls.ts";
import { spanIdOf, traceIdOf } from "../../runtime/telemetry/trace.ts";
import type { ControlAnswer, ControlClient } from "./control_client.ts";
import type { LiveOptions } from "./live.ts";

/** A call of a trace. */
export interface TracedCall {
  /** Id of the trace: 32 hexadecimal digits. */
  readonly trace: string;
  /** Id of the span that the call is: 16 hexadecimal digits. */
  readonly span: string;
  /** Id of the span that led to the call; absent if the call began the trace. */
  readonly parent?: string;
  /** Name of the service that was called. */
  readonly service: string;
  /** The method that ran. */
  readonly method: string;
  /** Kind of the entrypoint, such as `rpc`. */
  readonly kind: string;
  /** Id of the instance that ran it. */
  readonly instance: string;
  /** Name of its machine. */
  readonly host: string;
  /** Id of the process that ran it. */
  readonly pid: number;
  /** Name of the thread that ran it; absent if none has. */
  readonly thread?: string;
  /** Epoch milliseconds at which the call came, by the clock of its machine. */
  readonly at: number;
  /** Milliseconds from then to its end. */
  readonly took: number;
  /** Milliseconds of these that it waited for a thread. */
  readonly waited: number;
  /** How the call ended. */
  readonly outcome: CallOutcome;
  /** Name of the class of its error. */
  readonly error?: string;
}

/** What the processes that answered remember of a trace. */
export interface TraceCalls {
  /** In the order in which they came, as far as the clocks of the machines agree. */
  readonly calls: readonly TracedCall[];
  /** Number of further calls that the processes remember. */
  readonly left: number;
  /** Number of processes that answered. */
  readonly instances: number;
  /** Number of those that remember no calls, because their configuration says `telemetry: false`. */
  readonly silent: number;
}

/** Most calls that a process tells of a trace: those that ended last. */
const MOST_CALLS = 2_000;

/** First digits of a trace id, at least as many as tell it from others. */
const TRACE = /^[\da-f]{6,32}$/;

/** Says whether a text is the id of a trace, or its first digits. */
export function isTraceStart(value: unknown): value is string {
  return typeof value === "string" && TRACE.test(value);
}

/**
 * Answers `trace`.
 *
 * @param recent The calls that the process remembers; undefined if it remembers none.
 */
export function tellTrace(recent: RecentCalls | undefined, trace: unknown): PlainRecord {
  if (!isTraceStart(trace)) {
    throw new TypeError("Cannot find the trace: its id must be 6 to 32 hexadecimal digits");
  }
  if (recent === undefined) return { silent: true };
  const found = recent.ofTrace(trace);
  return { calls: found.slice(-MOST_CALLS).map(toldCall), left: Math.max(0, found.length - MOST_CALLS) };
}

function toldCall({ traceparent = "", parent, thread, error, ...rest }: CallRecord): PlainRecord {
  return {
    ...rest,
    trace: traceIdOf(traceparent),
    span: spanIdOf(traceparent),
    ...(parent !== undefined && { parent: spanIdOf(parent) }),
    ...(thread !== undefined && { thread }),
    ...(error !== undefined && { error }),
  };
}

/**
 * Asks all processes for the calls of a trace.
 *
 * @param trace The id of the trace, or its first digits, at least 6. Several traces may begin with them.
 */
export async function traceCalls(
  client: ControlClient,
  trace: string,
  { services, ...options }: LiveOptions = {},
): Promise<TraceCalls> {
  const calls: TracedCall[] = [];
  let [left, instances, silent] = [0, 0, 0];
  const request = { ask: "trace", trace, ...(services && { services }) };
  for await (const answer of client.ask(request, options)) {
    instances++;
    if (answer.answer?.["silent"] === true) silent++;
    calls.push(...readCalls(answer));
    left += count(answer.answer?.["left"]);
  }
  return { calls: calls.sort((a, b) => a.at - b.at), left, instances, silent };
}

const OUTCOMES: readonly unknown[] = ["ok", "expected", "failed"] satisfies CallOutcome[];

const SPAN = /^[\da-f]{16}$/;

/** Reads the calls of an answer. What is no call is left out. */
function readCalls({ instance, answer }: ControlAnswer): readonly TracedCall[] {
  const list = Array.isArray(answer?.["calls"]) ? answer["calls"] : [];
  const [host, pid] = [text(answer?.["host"]), count(answer?.["pid"])];
  return list.slice(0, MOST_CALLS).flatMap((call: unknown): readonly TracedCall[] => {
    if (!isRecord(call)) return [];
    const { trace, span, parent, service, method, kind, thread, at, took, waited, outcome, error } = call;
    if (typeof trace !== "string" || trace.length !== 32 || !isTraceStart(trace)) return [];
    if (typeof span !== "string" || !SPAN.test(span) || !OUTCOMES.includes(outcome)) return [];
    return [{
      trace,
      span,
      ...(typeof parent === "string" && SPAN.test(parent) && { parent }),
      service: text(service),
      method: text(method),
      kind: text(kind),
      instance,
      host,
      pid,
      ...(typeof thread === "string" && { thread: text(thread) }),
      at: count(at),
      took: count(took),
      waited: count(waited),
      outcome: outcome as CallOutcome,
      ...(typeof error === "string" && { error: text(error) }),
    }];
  });
}

function text(value: unknown): string {
  return typeof value === "string" ? value.slice(0, MOST_TEXT) : "";
}

/** Characters of a text that are kept. */
const MOST_TEXT = 1_000;

function count(value: unknown): number {
  return typeof value === "number" && value >= 0 && value < Infinity ? value : 0;
}
