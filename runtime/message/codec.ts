/**
 * This file reads and writes JSON as Nameko's serializer (kombu) does.
 *
 * Python's JSON allows more than JavaScript's JSON. It may hold `NaN` and `Infinity`, and kombu 5.3 and later
 * wrap dates, decimals, UUIDs and bytes in objects `{"__type__": …, "__value__": …}`. The reader here takes
 * both. The writer makes plain JSON, which every version reads. In the common case, the reader calls
 * `JSON.parse` once.
 */

/** The content type of JSON in Nameko. Nameko accepts no parameters after it, so none are sent. */
export const JSON_CONTENT_TYPE = "application/json";

/**
 * Parses JSON, including Python's extensions. A byte order mark may precede it.
 *
 * @throws {SyntaxError} If the text is not JSON.
 */
export function decodeJson(text: string): unknown {
  return parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text);
}

function parse(text: string): unknown {
  const reviver = text.includes('"__type__"') ? reviveTagged : undefined;
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (!NON_FINITE_REGEXP.test(text)) throw error;
    return parseNonFinite(text, reviver);
  }
}

/**
 * Writes JSON. The value `undefined` becomes `null`.
 *
 * @throws {TypeError} If the value cannot be JSON: a function, a symbol, a bigint, a `Map`, a `Set`, a cycle.
 */
export function encodeJson(value: unknown): string {
  if (value === undefined) return "null";
  if (value instanceof Map || value instanceof Set) {
    throw new TypeError(`Cannot write a ${value.constructor.name} as JSON: convert it to an array or object`);
  }
  const text = JSON.stringify(value);
  if (text === undefined) {
    throw new TypeError(`Cannot write a ${typeof value} as JSON: JSON has no such value`);
  }
  return text;
}

/** Decodes UTF-8 and keeps a byte order mark. Its `decode` throws if the bytes are not UTF-8. */
export const UTF8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** Returns the text of a body. A body of bytes must be UTF-8. */
export function bodyText(body: string | Uint8Array): string {
  return typeof body === "string" ? body : UTF8.decode(body);
}

const BYTE_ORDER_MARK = "\ufeff";

const NON_FINITE_REGEXP = /\b(?:NaN|Infinity)\b/;

/**
 * Matches a whole string, too, so that the words in strings stay. A string that does not end reaches to the
 * end of the text: if it were skipped, the search would begin again behind each of its quotes.
 */
const STRING_OR_NON_FINITE_REGEXP = /"(?:[^"\\]|\\.)*(?:"|\\?[^]*)|(?<![\w.])(?:Infinity|NaN)(?![\w.])/g;

/** Stands for `NaN` while the text is parsed: no serializer writes a number in this way. */
const NAN_SOURCE = "-0e-00";

/** Stands for `Infinity`: the number overflows to infinity, and a minus sign may precede it. */
const INFINITY_SOURCE = "1e999";

type Reviver = (key: string, value: unknown) => unknown;

/** A reviver that gets the source text, too. The compiler's library does not know this argument yet. */
type SourceReviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const parseWithSource = JSON.parse as (text: string, reviver: SourceReviver) => unknown;

function parseNonFinite(text: string, reviver: Reviver | undefined): unknown {
  const valid = text.replace(STRING_OR_NON_FINITE_REGEXP, (token) => {
    if (token === "NaN") return NAN_SOURCE;
    return token === "Infinity" ? INFINITY_SOURCE : token;
  });
  return parseWithSource(valid, (key, value, { source }) => {
    if (source === NAN_SOURCE) return NaN;
    return reviver === undefined ? value : reviver(key, value);
  });
}

function reviveTagged(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || !("__type__" in value) || !("__value__" in value)) {
    return value;
  }
  if (Object.keys(value).length !== 2) return value;
  const { __type__: type, __value__: content } = value;
  switch (type) {
    case "datetime":
    case "date":
    case "time":
    case "decimal":
    case "bytes":
      return content;
    case "uuid":
      return formatUuid(content) ?? value;
    case "base64":
      return Uint8Array.from(atob(String(content)), (character) => character.charCodeAt(0));
    default:
      return value;
  }
}

function formatUuid(content: unknown): string | undefined {
  const hex = (content as { readonly hex?: unknown } | null)?.hex;
  if (typeof hex !== "string") return undefined;
  return hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, "$1-$2-$3-$4-$5");
}
