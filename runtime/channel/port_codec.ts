/**
 * The codecs of the messages that go through a ring between the main thread and a thread: calls and plain results, and
 * what handlers send, with the answers to it.
 *
 * The text of a message is a line with numbers and the lengths of its fields, and then the fields. The first number
 * says which message it is. Texts stay as they are, so the bodies need no escaping, which JSON would need. Bytes of a
 * body go beside the text. Records become JSON, if JSON can carry them.
 */
import type { Fault } from "../message/outcome.ts";
import type { Body } from "../message/reply.ts";
import type { FieldTable } from "../message/transport.ts";
import type { CallMessage, FromThread, ToThread } from "./port.ts";
import type { RingCodec } from "./ring_port.ts";

/** Encodes and decodes messages from the main thread to a thread. */
export const TO_THREAD: RingCodec<ToThread> = {
  encode(message) {
    if (message.type === "call") return encodeCall(message.call);
    if (message.type !== "answer" || !isBody(message.body)) return undefined;
    return join(`${ANSWER} ${message.id}`, [message.body]);
  },
  bytes: (message) =>
    message.type === "call"
      ? bytesOf(message.call.body)
      : message.type === "answer"
      ? bytesOf(message.body as Body)
      : undefined,
  decode(text, bytes) {
    const { numbers, fields } = split(text, TO_THREAD_NUMBERS, bytes);
    if (numbers[0] === CALL) return { type: "call", call: decodeCall(numbers, fields) };
    return { type: "answer", id: numbers[1]!, body: fields[0] };
  },
};

/** What the first number of a text from the main thread says. */
const CALL = 0;
const ANSWER = 1;

/** How many numbers each of these texts has. */
const TO_THREAD_NUMBERS = [6, 2];

function encodeCall(
  { slot, entrypoint, timeout, deadline, body, contentType, headers, span, message }: CallMessage,
): string | undefined {
  if (!isPlain(headers) || !isPlain(message)) return undefined;
  const [number, traceparent] = typeof span === "string" ? [NO_SPAN, span] : [span ?? NO_SPAN, undefined];
  return join(
    `${CALL} ${slot} ${entrypoint} ${timeout ?? NO_TIME} ${deadline ?? NO_TIME} ${number}`,
    [body, contentType, headers && JSON.stringify(headers), traceparent, ...textOrJson(message)],
  );
}

function decodeCall(numbers: readonly number[], fields: readonly Body[]): CallMessage {
  const [, slot, entrypoint, timeout, deadline, span] = numbers;
  const [body, contentType, headers, traceparent, ...facts] = fields as [Body, ...Text[]];
  const call: CallMessage = {
    slot: slot!,
    entrypoint: entrypoint!,
    body,
    contentType,
    headers: headers === undefined ? undefined : JSON.parse(headers) as FieldTable,
    span: traceparent ?? (span === NO_SPAN ? undefined : span),
    ...(timeout !== NO_TIME && { timeout: timeout! }),
    ...(deadline !== NO_TIME && { deadline: deadline! }),
  };
  const message = fromTextOrJson(facts);
  return message === undefined ? call : { ...call, message };
}

/** Stands for a span without a number. */
const NO_SPAN = 0;

/** Stands for no timeout and for no deadline. Every real one is greater. */
const NO_TIME = 0;

/** Encodes and decodes messages from a thread to the main thread. */
export const FROM_THREAD: RingCodec<FromThread> = {
  encode(message) {
    switch (message.type) {
      case "done": {
        const { slot, elapsed, body, head, fault } = message;
        if (!isPlain(head)) return undefined;
        return join(`${DONE} ${slot} ${elapsed}`, [
          body,
          fault && JSON.stringify(fault),
          ...textOrJson(head),
        ]);
      }
      case "publish": {
        const { body, ...rest } = message.message;
        return isBody(body) && isPlain(rest)
          ? join(`${PUBLISH} ${message.id}`, [body, JSON.stringify(rest)])
          : undefined;
      }
      case "request": {
        const { id, timeout, request: { body, ...rest } } = message;
        return isBody(body) && isPlain(rest)
          ? join(`${REQUEST} ${id} ${timeout}`, [body, JSON.stringify(rest)])
          : undefined;
      }
      default:
        return undefined;
    }
  },
  bytes(message) {
    switch (message.type) {
      case "done":
        return bytesOf(message.body);
      case "publish":
        return bytesOf(message.message.body);
      case "request":
        return bytesOf(message.request.body);
      default:
        return undefined;
    }
  },
  decode(text, bytes) {
    const { numbers, fields } = split(text, FROM_THREAD_NUMBERS, bytes);
    const [kind, id, time] = numbers as [number, number, number];
    const [body, json, ...facts] = fields as [Body, ...Text[]];
    if (kind === PUBLISH) return { type: "publish", id, message: withBody(json, body) };
    if (kind === REQUEST) return { type: "request", id, timeout: time, request: withBody(json, body) };
    const done = {
      type: "done",
      slot: id,
      elapsed: time,
      body,
      ...(json !== undefined && { fault: JSON.parse(json) as Fault }),
    } as const;
    const head = fromTextOrJson(facts);
    return head === undefined ? done : { ...done, head };
  },
};

/** What the first number of a text from a thread says. */
const DONE = 0;
const PUBLISH = 1;
const REQUEST = 2;

/** How many numbers each of these texts has. */
const FROM_THREAD_NUMBERS = [3, 2, 3];

/** Makes what a handler sends. The pool looks at its form, as at that of everything that comes from a thread. */
function withBody<Sent>(json: Text, body: Body): Sent {
  const sent = JSON.parse(json!);
  sent.body = body;
  return sent;
}

type Text = string | undefined;

/** Stands in the line for the field that is the bytes beside the text. */
const BYTES = "*";

/** Handlers in JavaScript may send other bodies, which the port takes to whoever refuses them. */
function isBody(body: unknown): body is Body {
  return typeof body === "string" || body === undefined || body instanceof Uint8Array;
}

function bytesOf(body: string | Uint8Array | undefined): Uint8Array | undefined {
  return typeof body === "object" ? body : undefined;
}

function join(numbers: string, fields: readonly [Body, ...Text[]]): string {
  let line = numbers;
  let rest = "";
  for (const field of fields) {
    if (field === undefined) line += " -";
    else if (typeof field === "object") line += ` ${BYTES}`;
    else {
      line += ` ${field.length}`;
      rest += field;
    }
  }
  return `${line}\n${rest}`;
}

/** @param counts How many numbers a text has, by the first of them. */
function split(
  text: string,
  counts: readonly number[],
  bytes: Uint8Array<ArrayBuffer> | undefined,
): { readonly numbers: readonly number[]; readonly fields: readonly Body[] } {
  const end = text.indexOf("\n");
  const words = text.slice(0, end).split(" ");
  const count = counts[Number(words[0])];
  if (count === undefined) throw new TypeError("Cannot read a message: there is no such kind");
  const numbers: number[] = [];
  const fields: Body[] = [];
  let offset = end + 1;
  for (let index = 0; index < words.length; index++) {
    const word = words[index]!;
    if (index < count) numbers.push(Number(word));
    else if (word === "-") fields.push(undefined);
    else if (word === BYTES) fields.push(bytes ?? new Uint8Array(0));
    else fields.push(text.slice(offset, offset += Number(word)));
  }
  if (offset !== text.length) {
    throw new TypeError("Cannot read a message: the lengths of its fields do not fit it");
  }
  return { numbers, fields };
}

function textOrJson(facts: object | string | undefined): readonly [text: Text, json: Text] {
  if (facts === undefined) return [undefined, undefined];
  return typeof facts === "string" ? [facts, undefined] : [undefined, JSON.stringify(facts)];
}

function fromTextOrJson([text, json]: readonly Text[]) {
  return json === undefined ? text : JSON.parse(json);
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
