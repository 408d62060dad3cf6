/**
 * This file reads and writes context data, call id stack and deadline in message headers, as Nameko spells
 * them.
 *
 * Invariant: every context key `k` travels as `nameko.k`. Headers without the prefix become context data,
 * too. If two headers have one name, the later one wins (Nameko 2.14, `HeaderEncoder` and `HeaderDecoder`).
 * The time until the deadline is context data that only Enoki adds. It travels as a duration, because the
 * clocks of two machines may differ: the receiver counts it from the moment when the message arrives. It is
 * text, so Python services forward it unchanged, and so a Python service does not shorten it either. Older
 * versions of Enoki send the deadline itself, which counts if the duration is absent.
 */
import type { FieldTable, FieldValue } from "./transport.ts";

const PREFIX = "nameko.";
const STACK_KEY = "call_id_stack";
/** Milliseconds that the sender still waits. */
const TIMEOUT_KEY = "enoki_timeout";
/** Epoch milliseconds on the clock of the sender, from an older version of Enoki. */
const DEADLINE_KEY = "enoki_deadline";

/** Default number of ids of former calls that a call id stack keeps, in addition to the call's own id. */
export const DEFAULT_PARENT_CALLS_TRACKED = 10;

/** The content of the headers of a call. */
export interface CallHeaders {
  /** Ids of the calls that led to this call, the oldest first. */
  readonly stack: readonly string[];
  /** Context data that travels from service to service. The keys have no prefix. */
  readonly data: FieldTable;
  /** Epoch milliseconds, on the clock of the service, after which nobody waits for the result. */
  readonly deadline: number | undefined;
}

const NONE: CallHeaders = { stack: [], data: {}, deadline: undefined };

/**
 * Reads message headers. A stack or a deadline that makes no sense counts as absent.
 *
 * @param clock Tells in epoch milliseconds when the message arrived: now. @default {the clock of the machine}
 */
export function decodeCallHeaders(
  headers: FieldTable | undefined,
  clock: { now(): number } = Date,
): CallHeaders {
  if (headers === undefined) return NONE;
  let stack: readonly string[] = NONE.stack;
  let timeout: number | undefined;
  let deadline: number | undefined;
  const data: Record<string, FieldValue> = {};
  for (const header in headers) {
    const value = headers[header]!;
    const key = header.startsWith(PREFIX) ? header.slice(PREFIX.length) : header;
    if (key === STACK_KEY) stack = Array.isArray(value) ? value.filter(isId).map(String) : [];
    else if (key === TIMEOUT_KEY) timeout = parseMilliseconds(value);
    else if (key === DEADLINE_KEY) deadline = parseMilliseconds(value);
    else if (key === "__proto__") Object.defineProperty(data, key, { value, enumerable: true });
    else data[key] = value;
  }
  if (timeout !== undefined) deadline = clock.now() + timeout;
  return { stack, data, deadline };
}

/**
 * Reads the deadline alone. The main thread needs no more before it hands a call to a thread.
 *
 * @param now Epoch milliseconds at which the message arrived.
 */
export function decodeDeadline(headers: FieldTable | undefined, now: number): number | undefined {
  if (headers === undefined) return undefined;
  const timeout = parseMilliseconds(headers[PREFIX + TIMEOUT_KEY]);
  return timeout === undefined ? parseMilliseconds(headers[PREFIX + DEADLINE_KEY]) : now + timeout;
}

/**
 * Removes a deadline that some service has passed on.
 *
 * It is for the headers of a message whose result nobody waits for.
 */
export function withoutDeadline(headers: FieldTable | undefined): FieldTable | undefined {
  if (headers === undefined || !DEADLINE_HEADERS.some((name) => name in headers)) return headers;
  const kept = { ...headers };
  for (const name of DEADLINE_HEADERS) delete kept[name];
  return kept;
}

/** Replaces the time that is left, as {@linkcode encodeCallHeaders} has written it. */
export function withTimeLeft(headers: FieldTable, milliseconds: number): FieldTable {
  return { ...headers, [PREFIX + TIMEOUT_KEY]: String(Math.max(0, Math.ceil(milliseconds))) };
}

const DEADLINE_HEADERS = [PREFIX + TIMEOUT_KEY, TIMEOUT_KEY, PREFIX + DEADLINE_KEY, DEADLINE_KEY];

/**
 * Writes message headers. It leaves out a null value, as Nameko does. In place of the deadline it writes how
 * many milliseconds are left until then.
 *
 * @param now Epoch milliseconds. @default {what the clock of the machine says}
 */
export function encodeCallHeaders({ stack, data, deadline }: CallHeaders, now?: number): FieldTable {
  const headers: Record<string, FieldValue> = {};
  for (const key in data) {
    const value = data[key];
    if (value !== null && value !== undefined) headers[PREFIX + key] = value;
  }
  if (stack.length > 0) headers[PREFIX + STACK_KEY] = stack;
  if (deadline !== undefined) {
    headers[PREFIX + TIMEOUT_KEY] = timeLeft(deadline, now ?? Date.now());
  }
  return headers;
}

/** Makes the header that says how much time is left until a deadline, for a message that arrives at `arrival`. */
export function timeoutHeader(deadline: number, arrival: number): FieldTable {
  return { [PREFIX + TIMEOUT_KEY]: timeLeft(deadline, arrival) };
}

function timeLeft(deadline: number, now: number): string {
  return String(Math.max(0, Math.ceil(deadline - now)));
}

/** Says whether a value can be the id of a call. An object could make the conversion to text fail. */
function isId(value: FieldValue): value is string | number {
  return typeof value === "string" || typeof value === "number";
}

function parseMilliseconds(value: FieldValue | undefined): number | undefined {
  const time = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof time === "number" && Number.isFinite(time) ? time : undefined;
}
