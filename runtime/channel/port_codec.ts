/**
 * The codecs of the messages that go through a ring between the main thread and a thread: calls and plain results, and
 * what handlers send, with the answers to it.
 *
 * The first number of a record says which message it is. Texts stay as they are, so the bodies need no escaping, which
 * JSON would need. Records become JSON, if JSON can carry them.
 */
import type { Fault } from "../message/outcome.ts";
import type { Body } from "../message/reply.ts";
import type { FieldTable } from "../message/transport.ts";
import { boundedJson, MOST_JSON } from "./plain_size.ts";
import type { PlainRecord } from "../message/plain.ts";
import type { AssignMessage, CallMessage, FromThread, ToThread } from "./port.ts";
import type { RingCodec } from "./ring_port.ts";
import type { RingRecord } from "./ring_record.ts";

/** What the first number of a record from the main thread says. */
const CALL = 0;
const ANSWER = 1;

/** Encodes and decodes messages from the main thread to a thread. */
export const TO_THREAD: RingCodec<ToThread> = {
  shape: { numbers: 6, fields: 6 },
  encode(message, record) {
    if (message.type === "call") return encodeCall(message, record);
    if (message.type !== "answer" || !isBody(message.body)) return false;
    record.numbers[0] = ANSWER;
    record.numbers[1] = message.id;
    record.add(message.body);
    return true;
  },
  decode(record) {
    const { numbers } = record;
    if (numbers[0] === CALL) return decodeCall(record);
    return { type: "answer", id: numbers[1]!, body: record.take() };
  },
};

/** Returns the slot of the call that a record from the main thread holds; undefined if it holds no call. */
export function slotOfCall({ numbers }: RingRecord): number | undefined {
  return numbers[0] === CALL ? numbers[1] : undefined;
}

/** Stands for a span without a number. */
const NO_SPAN = 0;

/** Stands for no timeout and for no deadline. Every real one is greater. */
const NO_TIME = 0;

function encodeCall({ slot, call }: AssignMessage, record: RingRecord): boolean {
  const { entrypoint, timeout, deadline, body, contentType, headers, span, message } = call;
  if (!isPlain(headers) || !isPlain(message)) return false;
  const { numbers } = record;
  const isNamed = typeof span === "string";
  numbers[0] = CALL;
  numbers[1] = slot;
  numbers[2] = entrypoint;
  numbers[3] = timeout ?? NO_TIME;
  numbers[4] = deadline ?? NO_TIME;
  numbers[5] = isNamed ? NO_SPAN : span ?? NO_SPAN;
  record.add(body);
  record.add(contentType);
  record.add(headers && JSON.stringify(headers));
  record.add(isNamed ? span : undefined);
  return addFacts(record, message);
}

function decodeCall(record: RingRecord): AssignMessage {
  const { numbers } = record;
  const timeout = numbers[3]!;
  const deadline = numbers[4]!;
  const span = numbers[5]!;
  const body = record.take();
  const contentType = record.takeText();
  const headers = record.takeText();
  const traceparent = record.takeText();
  const message = takeFacts(record);
  const call: { -readonly [Key in keyof CallMessage]: CallMessage[Key] } = {
    entrypoint: numbers[2]!,
    body,
    contentType,
    headers: headers === undefined ? undefined : JSON.parse(headers) as FieldTable,
    span: traceparent ?? (span === NO_SPAN ? undefined : span),
  };
  if (timeout !== NO_TIME) call.timeout = timeout;
  if (deadline !== NO_TIME) call.deadline = deadline;
  if (message !== undefined) call.message = message;
  return { type: "call", slot: numbers[1]!, call };
}

/** What the first number of a record from a thread says. */
const DONE = 0;
const PUBLISH = 1;
const REQUEST = 2;

/** Encodes and decodes messages from a thread to the main thread. */
export const FROM_THREAD: RingCodec<FromThread> = {
  shape: { numbers: 3, fields: 4 },
  encode(message, record) {
    const { numbers } = record;
    switch (message.type) {
      case "done": {
        const { slot, elapsed, body, head, fault } = message;
        if (!isBody(body) || !isPlain(head)) return false;
        numbers[0] = DONE;
        numbers[1] = slot;
        numbers[2] = elapsed;
        record.add(body);
        record.add(fault && JSON.stringify(fault));
        return addFacts(record, head);
      }
      case "publish":
        numbers[0] = PUBLISH;
        numbers[1] = message.id;
        return addSent(record, message.message);
      case "request":
        numbers[0] = REQUEST;
        numbers[1] = message.id;
        numbers[2] = message.timeout;
        return addSent(record, message.request);
      default:
        return false;
    }
  },
  decode(record) {
    const kind = record.numbers[0];
    const id = record.numbers[1]!;
    const time = record.numbers[2]!;
    if (kind === DONE) return decodeDone(id, time, record);
    if (kind === PUBLISH) return { type: "publish", id, message: takeSent(record) };
    if (kind === REQUEST) return { type: "request", id, timeout: time, request: takeSent(record) };
    throw new TypeError("Cannot read a message: there is no such kind");
  },
};

type Done = Extract<FromThread, { readonly type: "done" }>;

function decodeDone(slot: number, elapsed: number, record: RingRecord): Done {
  const body = record.take();
  const fault = record.takeText();
  const head = takeFacts(record);
  const done: { -readonly [Key in keyof Done]: Done[Key] } = { type: "done", slot, elapsed, body };
  if (fault !== undefined) done.fault = boundedJson<Fault>(fault);
  if (head !== undefined) done.head = head;
  return done;
}

/** Adds what a handler sends: its body, and the JSON of all else. */
function addSent(
  record: RingRecord,
  { body, ...rest }: { readonly body: string | Uint8Array | undefined },
): boolean {
  if (!isBody(body) || !isPlain(rest)) return false;
  const json = JSON.stringify(rest);
  record.add(body);
  record.add(json);
  return json.length <= MOST_JSON;
}

/** Takes what a handler sends. The pool looks at its form, as at that of everything that comes from a thread. */
function takeSent<Sent>(record: RingRecord): Sent {
  const body = record.take();
  const sent = boundedJson<{ body?: Body }>(record.takeText()!);
  sent.body = body;
  return sent as Sent;
}

/** Handlers in JavaScript may send other bodies, which the port takes to whoever refuses them. */
function isBody(body: unknown): body is Body {
  return typeof body === "string" || body === undefined || body instanceof Uint8Array;
}

/**
 * Adds what goes beside a body, as two fields: one for a text, the other for the JSON of anything else. Returns false if
 * that is too long.
 */
function addFacts(record: RingRecord, facts: object | string | undefined): boolean {
  const isText = typeof facts === "string";
  const json = isText || facts === undefined ? undefined : JSON.stringify(facts);
  record.add(isText ? facts : undefined);
  record.add(json);
  return json === undefined || json.length <= MOST_JSON;
}

function takeFacts(record: RingRecord): string | PlainRecord | undefined {
  const text = record.takeText();
  const json = record.takeText();
  return json === undefined ? text : boundedJson(json);
}

/** Values that are nested deeper than this go through the port. */
const DEEPEST = 32;

/** Returns whether a value comes back from JSON unchanged. Says no if the value fails when it is read. */
function isPlain(value: unknown): boolean {
  // Most messages have neither headers nor a head.
  if (value === undefined || typeof value === "string") return true;
  try {
    return isPlainTo(DEEPEST, value);
  } catch {
    return false;
  }
}

function isPlainTo(depth: number, value: unknown): boolean {
  switch (typeof value) {
    case "string":
    case "boolean":
    case "undefined":
      return true;
    case "number":
      return Number.isFinite(value) && !Object.is(value, -0);
    case "object":
      break;
    default:
      return false;
  }
  if (value === null) return true;
  if (depth === 0) return false;
  if (Array.isArray(value)) return value.every((item) => item !== undefined && isPlainTo(depth - 1, item));
  if (Object.getPrototypeOf(value) !== Object.prototype) return false;
  for (const key in value) {
    if (!isPlainTo(depth - 1, (value as Record<string, unknown>)[key])) return false;
  }
  return true;
}
