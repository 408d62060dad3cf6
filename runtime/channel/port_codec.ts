/**
 * The codecs of the messages that go through a ring between the main thread and a thread: calls and plain
 * results.
 *
 * The text of a message is a line with numbers and the lengths of its fields, and then the fields. Texts stay
 * as they are, so the bodies need no escaping, which JSON would need. Bytes of a body go beside the text. Records
 * become JSON, if JSON can carry them.
 */
import type { Fault } from "../message/outcome.ts";
import type { Body } from "../message/reply.ts";
import type { FieldTable } from "../message/transport.ts";
import type { CallMessage, FromThread, ToThread } from "./port.ts";
import type { RingCodec } from "./ring_port.ts";

/** Encodes and decodes messages from the main thread to a thread. */
export const TO_THREAD: RingCodec<ToThread> = {
  encode(message) {
    if (message.type !== "call") return undefined;
    const { slot, entrypoint, timeout, deadline, body, contentType, headers, span, message: facts } =
      message.call;
    if (!isPlain(headers) || !isPlain(facts)) return undefined;
    const [number, traceparent] = typeof span === "string" ? [NO_SPAN, span] : [span ?? NO_SPAN, undefined];
    return join(`${slot} ${entrypoint} ${timeout ?? NO_TIME} ${deadline ?? NO_TIME} ${number}`, [
      body,
      contentType,
      headers && JSON.stringify(headers),
      traceparent,
      ...textOrJson(facts),
    ]);
  },
  bytes: (message) => message.type === "call" ? bytesOf(message.call.body) : undefined,
  decode(text, bytes) {
    const { numbers, fields } = split(text, 5, bytes);
    const [slot, entrypoint, timeout, deadline, span] = numbers;
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
    return { type: "call", call: message === undefined ? call : { ...call, message } };
  },
};

/** Stands for a span without a number. */
const NO_SPAN = 0;

/** Stands for no timeout and for no deadline. Every real one is greater. */
const NO_TIME = 0;

/** Encodes and decodes messages from a thread to the main thread. */
export const FROM_THREAD: RingCodec<FromThread> = {
  encode(message) {
    if (message.type !== "done" || !isPlain(message.head)) return undefined;
    const { slot, elapsed, body, head, fault } = message;
    return join(`${slot} ${elapsed}`, [body, fault && JSON.stringify(fault), ...textOrJson(head)]);
  },
  bytes: (message) => message.type === "done" ? bytesOf(message.body) : undefined,
  decode(text, bytes) {
    const { numbers: [slot, elapsed], fields } = split(text, 2, bytes);
    const [body, fault, ...facts] = fields as [Body, ...Text[]];
    const head = fromTextOrJson(facts);
    const done = {
      type: "done",
      slot: slot!,
      elapsed: elapsed!,
      body,
      ...(fault !== undefined && { fault: JSON.parse(fault) as Fault }),
    } as const;
    return head === undefined ? done : { ...done, head };
  },
};

type Text = string | undefined;

/** Stands in the line for the field that is the bytes beside the text. */
const BYTES = "*";

function bytesOf(body: Body): Uint8Array | undefined {
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

function split(
  text: string,
  count: number,
  bytes: Uint8Array<ArrayBuffer> | undefined,
): { readonly numbers: readonly number[]; readonly fields: readonly Body[] } {
  const end = text.indexOf("\n");
  const words = text.slice(0, end).split(" ");
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
