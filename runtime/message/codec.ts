/**
 * JSON as Nameko's serializer (kombu) speaks it.
 *
 * Python's JSON is wider than JavaScript's: it may hold `NaN` and `Infinity`, and kombu 5.3 and later wrap
 * dates, decimals, UUIDs and bytes in objects `{"__type__": …, "__value__": …}`. Both are read here; what is
 * written is plain JSON, which every version reads. The common case is one `JSON.parse`.
 */

/** The content type that Nameko knows JSON by; it accepts no parameters. */
export const JSON_CONTENT_TYPE = "application/json";

/**
 * Parses JSON, Python's extensions included.
 *
 * @throws {SyntaxError} If the text is not JSON.
 */
export function decodeJson(text: string): unknown {
  const reviver = text.includes('"__type__"') ? reviveTagged : undefined;
  try {
    return JSON.parse(text, reviver);
  } catch (error) {
    if (!NON_FINITE_REGEXP.test(text)) throw error;
    return parseNonFinite(text, reviver);
  }
}

/**
 * Writes JSON; `undefined` becomes `null`.
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

/** Decodes bytes that must be UTF-8, and keeps a byte order mark; `decode` throws where they are not. */
export const UTF8: TextDecoder = new TextDecoder("utf-8", { fatal: true, ignoreBOM: true });

/** The text of a body; bytes must be UTF-8. */
export function bodyText(body: string | Uint8Array): string {
  return typeof body === "string" ? body : UTF8.decode(body);
}

const NON_FINITE_REGEXP = /\b(?:NaN|Infinity)\b/;

const STRING_OR_NON_FINITE_REGEXP = /"(?:[^"\\]|\\.)*"|(?<![\w.])(?:Infinity|NaN)(?![\w.])/g;

/** A number that no serializer writes like this. */
const NAN_SOURCE = "-0e-00";

/** Overflows to infinity, and takes a minus sign. */
const INFINITY_SOURCE = "1e999";

type Reviver = (key: string, value: unknown) => unknown;

/** With the source text of the value, which the compiler's library does not know of yet. */
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
