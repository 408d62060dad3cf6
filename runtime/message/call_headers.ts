/**
 * Context data, call id stack and deadline in message headers, as Nameko spells them.
 *
 * Invariant: every context key `k` travels as `nameko.k`, unprefixed headers become context data too, and the
 * later of two headers of one name wins (Nameko 2.14, `HeaderEncoder` and `HeaderDecoder`). The deadline is
 * context data of our own; it is text, so that it crosses Python services untouched and is forwarded by them.
 */
import type { FieldTable, FieldValue } from "./transport.ts";

const PREFIX = "nameko.";
const STACK_KEY = "call_id_stack";
const DEADLINE_KEY = "enoki_deadline";

/** How many ids of former calls a call id stack keeps, beside the call's own, where nobody says otherwise. */
export const DEFAULT_PARENT_CALLS_TRACKED = 10;

/** What the headers of a call say. */
export interface CallHeaders {
  /** Ids of the calls that led here, oldest first. */
  readonly stack: readonly string[];
  /** Context data that travels from service to service, without prefix. */
  readonly data: FieldTable;
  /** Epoch milliseconds after which nobody waits for the result. */
  readonly deadline: number | undefined;
}

const NONE: CallHeaders = { stack: [], data: {}, deadline: undefined };

/** Reads message headers; what does not make sense as a stack or a deadline counts as absent. */
export function decodeCallHeaders(headers: FieldTable | undefined): CallHeaders {
  if (headers === undefined) return NONE;
  let stack: readonly string[] = NONE.stack;
  let deadline: number | undefined;
  const data: Record<string, FieldValue> = {};
  for (const header in headers) {
    const value = headers[header]!;
    const key = header.startsWith(PREFIX) ? header.slice(PREFIX.length) : header;
    if (key === STACK_KEY) stack = Array.isArray(value) ? value.map(String) : [];
    else if (key === DEADLINE_KEY) deadline = parseDeadline(value);
    else data[key] = value;
  }
  return { stack, data, deadline };
}

/** The deadline alone: what the main thread needs to know before it hands a call to a worker thread. */
export function decodeDeadline(headers: FieldTable | undefined): number | undefined {
  return headers === undefined ? undefined : parseDeadline(headers[PREFIX + DEADLINE_KEY]);
}

/** The headers of a message that nobody waits for: without a deadline that some service has passed on. */
export function withoutDeadline(headers: FieldTable | undefined): FieldTable | undefined {
  if (headers === undefined || !(PREFIX + DEADLINE_KEY in headers || DEADLINE_KEY in headers)) return headers;
  const { [PREFIX + DEADLINE_KEY]: _prefixed, [DEADLINE_KEY]: _plain, ...kept } = headers;
  return kept;
}

/** Writes message headers; a null value is left out, as Nameko does. */
export function encodeCallHeaders({ stack, data, deadline }: CallHeaders): FieldTable {
  const headers: Record<string, FieldValue> = {};
  for (const key in data) {
    const value = data[key];
    if (value !== null && value !== undefined) headers[PREFIX + key] = value;
  }
  if (stack.length > 0) headers[PREFIX + STACK_KEY] = stack;
  if (deadline !== undefined) headers[PREFIX + DEADLINE_KEY] = String(Math.ceil(deadline));
  return headers;
}

function parseDeadline(value: FieldValue | undefined): number | undefined {
  const deadline = typeof value === "string" && value !== "" ? Number(value) : value;
  return typeof deadline === "number" && Number.isFinite(deadline) ? deadline : undefined;
}
