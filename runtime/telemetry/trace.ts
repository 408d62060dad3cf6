/**
 * W3C Trace Context (https://www.w3.org/TR/trace-context/): which trace a call is a part of.
 *
 * A call is one span of its trace. Its `traceparent` names both, and travels as context data with everything that the
 * call sends. So a call that this causes, here or in Python, has the same trace, and this call as its parent.
 */
import type { SpanName, SpanSeed } from "../channel/port.ts";
import type { FieldTable } from "../message/transport.ts";

/** Key of the context data that names the trace, as Python's OpenTelemetry for Nameko has it. */
export const TRACEPARENT_KEY = "traceparent";

/** Key of the context data with what each tracer of the trace adds. */
export const TRACESTATE_KEY = "tracestate";

/** Headers in which they travel. */
const TRACEPARENT_HEADER = `nameko.${TRACEPARENT_KEY}`;
const TRACESTATE_HEADER = `nameko.${TRACESTATE_KEY}`;

/**
 * Says whether a value is a valid `traceparent`.
 *
 * Later versions of the format may have more fields at the end. An id that is all zeros is not valid. A regular
 * expression takes four times as long, and every message passes here twice.
 */
export function isTraceparent(value: unknown): value is string {
  if (typeof value !== "string" || value.length < FIELDS || value.length > LONGEST) return false;
  const version = value.slice(0, 2);
  if (version === "ff" || version === "00" && value.length > FIELDS) return false;
  return isHex(value, 0, 2) && isId(value, 3, 35) && isId(value, 36, 52) && isHex(value, 53, FIELDS) &&
    isDash(value, 2) && isDash(value, 35) && isDash(value, 52) &&
    (value.length === FIELDS || LATER_FIELDS.test(value.slice(FIELDS)));
}

/** Characters of the fields that each version has. */
const FIELDS = 55;

const LATER_FIELDS = /^-.*$/;

function isDash(text: string, place: number): boolean {
  return text.charCodeAt(place) === 45;
}

function isId(text: string, start: number, end: number): boolean {
  return isHex(text, start, end) && !isZero(text, start, end);
}

function isHex(text: string, start: number, end: number): boolean {
  for (let place = start; place < end; place++) {
    const code = text.charCodeAt(place);
    if (!(code >= 48 && code <= 57 || code >= 97 && code <= 102)) return false;
  }
  return true;
}

function isZero(text: string, start: number, end: number): boolean {
  for (let place = start; place < end; place++) if (text.charCodeAt(place) !== 48) return false;
  return true;
}

/** Longest text that is looked at. Those of version 00 have 55 characters. */
const LONGEST = 256;

/** Returns the `traceparent` among the headers of a message; undefined if there is no valid one. */
export function traceparentOf(headers: FieldTable | undefined): string | undefined {
  const value = headers?.[TRACEPARENT_HEADER];
  return isTraceparent(value) ? value : undefined;
}

/** The entry of ours in a `tracestate`: the ids of a call and of the span that the call had for what it sent. */
const OWN_STATE = /(?:^|,) *enoki=([\da-f]{16})-([\da-f]{16}) *(?:,|$)/;

/** Most characters of a `tracestate` that others need to pass on. */
const LONGEST_STATE = 512;

/**
 * Makes the `tracestate` that names the call behind a span of something that the call sends.
 *
 * @param call `traceparent` of the call.
 * @param sent `traceparent` of the span.
 * @param given The `tracestate` that the call has got. It is kept where there is room.
 */
export function stateOf(call: string, sent: string, given: unknown): string {
  const own = `enoki=${spanIdOf(call)}-${spanIdOf(sent)}`;
  if (typeof given !== "string" || given.length > LONGEST_STATE) return own;
  const others = given.split(",").filter((entry) => !/^ *(?:enoki=|$)/.test(entry));
  const state = [own, ...others].join(",");
  return state.length > LONGEST_STATE ? own : state;
}

/** Returns the call that sent a message, if the span that led to the message is one of what a call sends. */
export function callerOf(headers: FieldTable | undefined, parent: string): string | undefined {
  const state = headers?.[TRACESTATE_HEADER];
  if (typeof state !== "string" || state.length > LONGEST_STATE) return undefined;
  const [, call, sent] = OWN_STATE.exec(state) ?? [];
  return sent === spanIdOf(parent) ? `${parent.slice(0, 36)}${call}${parent.slice(52)}` : undefined;
}

let seed: SpanSeed | undefined;
let spans = 0;

/** Gives the seed of this process, for its threads. */
export function spanSeed(): SpanSeed {
  return seed ??= [bits(), bits(), bits(), bits()];
}

/** Takes over the seed of the process, in a thread. */
export function useSpanSeed(given: SpanSeed): void {
  seed = given;
}

/** Names a new span by its number, which is at least 1. */
export function nextSpan(): number {
  return ++spans;
}

/**
 * Returns the `traceparent` of a span.
 *
 * @param parent The span that led to it, whose trace it continues. A span that is named by a `traceparent` needs none.
 */
export function traceparentOfSpan(span: SpanName, parent: string | undefined): string {
  if (typeof span === "string") return span;
  const [a, b, c, d] = spanSeed();
  const id = scattered(span, c) + scattered(span, d);
  // Tools that know traces by half of their ids, by whichever half, find a different trace for each number.
  return parent === undefined
    ? `00-${scattered(span, a)}${scattered(span, b)}${id}-${id}-01`
    : `00-${parent.slice(3, 36)}${id}-${parent.slice(53, 55)}`;
}

function bits(): number {
  return Number(`0x${randomHex(4)}`);
}

/**
 * Makes 8 hexadecimal digits of a number, so that those of neighbours have nothing in common. No two numbers of 32 bits
 * become one (it is the last step of MurmurHash3).
 */
function scattered(number: number, key: number): string {
  const bits = number ^ key ^ Math.imul(Math.floor(number / 2 ** 32), 0x9e37_79b1);
  let mixed = bits ^ (bits >>> 16);
  mixed = Math.imul(mixed, 0x85eb_ca6b);
  mixed = Math.imul(mixed ^ (mixed >>> 13), 0xc2b2_ae35);
  return ((mixed ^ (mixed >>> 16)) >>> 0).toString(16).padStart(8, "0");
}

/**
 * Makes the `traceparent` of a new span.
 *
 * @param parent A valid `traceparent`, whose trace the span continues. @default {a new trace, which is sampled}
 */
export function childOf(parent: string | undefined): string {
  return parent === undefined
    ? `00-${randomHex(16)}-${randomHex(8)}-01`
    : `00-${parent.slice(3, 36)}${randomHex(8)}-${parent.slice(53, 55)}`;
}

/** Place of the id of the trace in a `traceparent`. */
export const TRACE_AT = 3;

/** Returns the id of the trace: 32 hexadecimal digits. */
export function traceIdOf(traceparent: string): string {
  return traceparent.slice(TRACE_AT, 35);
}

/** Returns the id of the span: 16 hexadecimal digits. */
export function spanIdOf(traceparent: string): string {
  return traceparent.slice(36, 52);
}

/**
 * Returns the id of the call that is a span, so that both sides of a thread know it without a message.
 *
 * Its last part is a UUID of version 8 (RFC 9562, section 5.8) with 15 digits of the trace and 15 of the span.
 */
export function callIdOf(service: string, method: string, traceparent: string): string {
  const trace = traceparent.slice(3, 18);
  const span = traceparent.slice(37, 52);
  const uuid = `${trace.slice(0, 8)}-${trace.slice(8, 12)}-8${trace.slice(12)}-8${span.slice(0, 3)}-${
    span.slice(3)
  }`;
  return `${service}.${method}.${uuid}`;
}

const HEX = Array.from({ length: 256 }, (_, byte) => byte.toString(16).padStart(2, "0"));

/** Random bytes for many ids: to ask for a few bytes at a time costs more than all the rest. */
const random = new Uint8Array(4_096);
let used = random.length;

function randomHex(bytes: number): string {
  if (used + bytes > random.length) {
    crypto.getRandomValues(random);
    used = 0;
  }
  let text = "";
  for (const end = used + bytes; used < end; used++) text += HEX[random[used]!];
  return text;
}
