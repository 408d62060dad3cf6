/**
 * The form of messages that are no records, on their way from the process of a service to the main thread: JSON, and
 * beside it the bytes and the long texts.
 *
 * The main thread cannot trust that process. V8's own form would not do: a few of its bytes make a list with a length of
 * billions, or reserve memory, and what V8 makes of many bytes takes ten times their memory. This form makes plain data,
 * dates and bytes, and its JSON has a bounded length. What is of another class arrives as an object without keys.
 *
 * An object with an empty key stands for a value that JSON does not have: its kind, and what it is made of.
 */
import { type Frame, FrameKind } from "./frame_stream.ts";
import { MOST_JSON } from "../plain_size.ts";

/** Characters above which a text does not stand in the JSON. */
const LONG = 1_024;

/** What is nested deeper is cut off. The main thread takes nothing that is nested half as deep. */
const DEEPEST = 128;

/** Most values of one message. */
const MOST_VALUES = 1_048_576;

/** Digits of the largest integer, because to read more takes time that grows with their square. */
const MOST_DIGITS = 1_024;

const HEAD = 4;

/** What stands under the empty key. */
type Special =
  | readonly ["object", Readonly<Record<string, unknown>>]
  | readonly ["text" | "bytes", offset: number, length: number]
  | readonly ["number" | "integer", string]
  | readonly ["date", number | null]
  | readonly ["undefined"];

/**
 * Makes the frame of a message.
 *
 * @throws {RangeError} If the message is too large.
 * @throws {TypeError} If it holds what no message can hold.
 */
export function plainFrame(message: unknown): Frame {
  const writer = new PlainWriter();
  const json = JSON.stringify(writer.formOf(message, DEEPEST));
  if (json.length > MOST_JSON) throw tooLarge();
  const head = new Uint8Array(HEAD);
  new DataView(head.buffer).setUint32(0, json.length, true);
  return { kind: FrameKind.plain, head, text: json + writer.text, bytes: writer.bytes() };
}

/**
 * Reads the message of a frame.
 *
 * @throws {Error} If {@linkcode plainFrame} has not made the frame.
 */
export function plainMessage<Message>({ kind, head, text, bytes }: Frame): Message {
  if (kind !== FrameKind.plain || head?.length !== HEAD) throw foreign();
  const length = new DataView(head.buffer, head.byteOffset).getUint32(0, true);
  if (length > Math.min(MOST_JSON, text.length)) throw foreign();
  const rest = { text: text.slice(length), bytes: bytes ?? new Uint8Array() };
  return valueOf(JSON.parse(text.slice(0, length)), rest, 2 * DEEPEST) as Message;
}

class PlainWriter {
  text = "";
  readonly #pieces: Uint8Array[] = [];
  #size = 0;
  #values = 0;

  /** The bytes of all fields, one behind the other. */
  bytes(): Uint8Array<ArrayBuffer> | undefined {
    const [first] = this.#pieces;
    if (first === undefined) return undefined;
    // Nobody changes a message that the process has got.
    if (this.#pieces.length === 1) return first as Uint8Array<ArrayBuffer>;
    const all = new Uint8Array(this.#size);
    let at = 0;
    for (const piece of this.#pieces) {
      all.set(piece, at);
      at += piece.length;
    }
    return all;
  }

  /** Returns what JSON can carry in place of a value. */
  formOf(value: unknown, depth: number): unknown {
    if (++this.#values > MOST_VALUES) throw tooLarge();
    switch (typeof value) {
      case "string":
        // UTF-8 has no lone surrogates, and JSON has.
        return value.length > LONG && value.isWellFormed() ? this.#longText(value) : value;
      case "number":
        if (Object.is(value, -0)) return special("number", "-0");
        return Number.isFinite(value) ? value : special("number", `${value}`);
      case "boolean":
        return value;
      case "undefined":
        return special("undefined");
      case "bigint": {
        const digits = `${value}`;
        if (digits.length > MOST_DIGITS) throw tooLarge();
        return special("integer", digits);
      }
      case "object":
        return value === null || depth === 0 ? null : this.#objectOf(value, depth - 1);
      default:
        throw new TypeError(`Cannot send a message: it holds a ${typeof value}`);
    }
  }

  #objectOf(value: object, depth: number): unknown {
    if (value instanceof Uint8Array) {
      this.#pieces.push(value);
      this.#size += value.length;
      return special("bytes", this.#size - value.length, value.length);
    }
    if (value instanceof Date) return special("date", value.getTime());
    if (Array.isArray(value)) {
      if (this.#values + value.length > MOST_VALUES) throw tooLarge();
      return Array.from(value, (item) => this.formOf(item, depth));
    }
    if (Object.getPrototypeOf(value) !== Object.prototype) return {};
    const form = Object.fromEntries(
      Object.entries(value).flatMap(([key, item]) =>
        item === undefined ? [] : [[key, this.formOf(item, depth)]]
      ),
    );
    return Object.hasOwn(form, "") ? special("object", form) : form;
  }

  #longText(value: string): unknown {
    this.text += value;
    return special("text", this.text.length - value.length, value.length);
  }
}

function special(...parts: Special): { readonly "": Special } {
  return { "": parts };
}

/** What stands beside the JSON. */
interface Rest {
  readonly text: string;
  readonly bytes: Uint8Array<ArrayBuffer>;
}

/** Puts the values back for which something else stands. */
function valueOf(form: unknown, rest: Rest, depth: number): unknown {
  if (typeof form !== "object" || form === null) return form;
  if (depth === 0) throw foreign();
  if (!Array.isArray(form) && Object.hasOwn(form, "")) {
    return specialValue((form as { readonly "": unknown })[""], rest, depth - 1);
  }
  return restore(form as Record<string, unknown>, rest, depth);
}

function restore(form: Record<string, unknown>, rest: Rest, depth: number): object {
  for (const key of Object.keys(form)) {
    const value = form[key];
    if (typeof value === "object" && value !== null) form[key] = valueOf(value, rest, depth - 1);
  }
  return form;
}

function specialValue(parts: unknown, { text, bytes }: Rest, depth: number): unknown {
  if (!Array.isArray(parts)) throw foreign();
  const [kind, content, length] = parts;
  switch (kind) {
    case "object":
      if (typeof content !== "object" || content === null) throw foreign();
      return restore(content, { text, bytes }, depth);
    case "text":
      return text.slice(content, end(content, length, text));
    case "bytes":
      return bytes.subarray(content, end(content, length, bytes));
    case "number":
      return Number(textIn(content));
    case "integer":
      return BigInt(textIn(content));
    case "date":
      return new Date(typeof content === "number" ? content : NaN);
    case "undefined":
      return undefined;
  }
  throw foreign();
}

function end(offset: unknown, length: unknown, { length: all }: { readonly length: number }): number {
  if (!isLength(offset) || !isLength(length) || offset + length > all) throw foreign();
  return offset + length;
}

function isLength(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function textIn(value: unknown): string {
  if (typeof value !== "string" || value.length > MOST_DIGITS) throw foreign();
  return value;
}

function tooLarge(): RangeError {
  return new RangeError("Cannot send a message: it is too large");
}

function foreign(): RangeError {
  return new RangeError("Cannot read a message: it has another form");
}
