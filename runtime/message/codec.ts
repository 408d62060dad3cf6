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

/** Makes a value of a number and of the text that it was read from. */
export type NumberReader = (source: string, value: number) => unknown;

/**
 * Parses JSON, including Python's extensions. A byte order mark may precede it.
 *
 * @param readNumber Makes the values of numbers; much slower. @default {numbers as JavaScript has them}
 * @throws {SyntaxError} If the text is not JSON.
 */
export function decodeJson(text: string, readNumber?: NumberReader): unknown {
  return parse(text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text, readNumber);
}

/**
 * Parses JSON for a reader that needs few of its values, in a fraction of the time: `NaN` and `Infinity` become
 * null, and tagged values stay objects.
 *
 * @throws {SyntaxError} If the text is not JSON.
 */
export function decodeJsonRoughly(text: string): unknown {
  const json = text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text;
  try {
    return JSON.parse(json);
  } catch (error) {
    if (!NON_FINITE_REGEXP.test(json)) throw error;
    return JSON.parse(
      json.replace(STRING_OR_SIGNED_REGEXP, (token) => token.startsWith('"') ? token : "null"),
    );
  }
}

function parse(text: string, readNumber: NumberReader | undefined): unknown {
  const tagged = text.includes('"__type__"') ? reviveTagged : undefined;
  const reviver = readNumber === undefined ? tagged : numbersThen(readNumber, tagged);
  try {
    return parseWithSource(text, reviver);
  } catch (error) {
    if (!NON_FINITE_REGEXP.test(text)) throw error;
    return parseNonFinite(text, reviver);
  }
}

/**
 * Writes JSON. The value `undefined` becomes `null`; otherwise `undefined` and `toJSON()` work as in
 * `JSON.stringify()`.
 *
 * @param bigints Whether a `bigint` is written as an integer. @default {false}
 * @throws {TypeError} If JSON has no such value. The message says where it is.
 */
export function encodeJson(value: unknown, bigints = false): string {
  if (value === undefined) return "null";
  const text = stringify(value, bigints);
  if (text === undefined) throw noJson(value, "");
  if (!isPlainJson(value)) requireJson(value, "");
  return text;
}

/** A `bigint` makes `JSON.stringify()` throw, so values without one pay nothing for those that have one. */
function stringify(value: unknown, bigints: boolean): string | undefined {
  try {
    return JSON.stringify(value);
  } catch (error) {
    if (!(error instanceof TypeError) || !BIGINT_REGEXP.test(error.message)) throw error;
    return JSON.stringify(value, (key, each) => {
      if (typeof each !== "bigint") return each;
      if (bigints) return rawJson(String(each));
      throw new TypeError(
        `Cannot write the bigint ${each}${
          placeOf(key)
        } as JSON: peers may not read it. Set bigints: true, or send text`,
      );
    });
  }
}

const BIGINT_REGEXP = /\bBigInt\b/;

/** The compiler's library does not know this function yet. */
const { rawJSON: rawJson } = JSON as unknown as { readonly rawJSON: (text: string) => unknown };

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

/** Matches the same, and the minus sign before a number that is not finite, too. */
const STRING_OR_SIGNED_REGEXP = /"(?:[^"\\]|\\.)*(?:"|\\?[^]*)|-?(?<![\w.])(?:Infinity|NaN)(?![\w.])/g;

/** Stands for `NaN` while the text is parsed: no serializer writes a number in this way. */
const NAN_SOURCE = "-0e-00";

/** Stands for `Infinity`: the number overflows to infinity, and a minus sign may precede it. */
const INFINITY_SOURCE = "1e999";

/** A reviver that gets the source text, too. The compiler's library does not know this argument yet. */
type Reviver = (key: string, value: unknown, context: { readonly source?: string }) => unknown;

const parseWithSource = JSON.parse as (text: string, reviver: Reviver | undefined) => unknown;

function numbersThen(readNumber: NumberReader, reviver: Reviver | undefined): Reviver {
  return (key, value, context) => {
    if (typeof value === "number") return readNumber(context.source!, value);
    return reviver === undefined ? value : reviver(key, value, context);
  };
}

function parseNonFinite(text: string, reviver: Reviver | undefined): unknown {
  const valid = text.replace(STRING_OR_NON_FINITE_REGEXP, (token) => {
    if (token === "NaN") return NAN_SOURCE;
    return token === "Infinity" ? INFINITY_SOURCE : token;
  });
  return parseWithSource(valid, (key, value, context) => {
    if (context.source === NAN_SOURCE) return NaN;
    return reviver === undefined ? value : reviver(key, value, context);
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

/*
 * What follows refuses the values that `JSON.stringify()` would change in silence: an error or a promise becomes
 * `{}`, a number that is not finite becomes `null`, a function vanishes.
 *
 * Deep inside, nothing in the text shows that a function has vanished, so the writer looks at each value. It does
 * so after writing, because `JSON.stringify()` has found by then that the value has an end.
 */

/**
 * Says quickly whether JSON has all of a value. A no may be wrong where a function or a prototype has fields, and
 * {@linkcode requireJson} decides.
 */
function isPlainJson(value: unknown): boolean {
  return typeof value === "object" && value !== null ? isPlainWithin(value) : isScalar(value);
}

function isPlainWithin(value: object): boolean {
  if (Array.isArray(value)) {
    const { length } = value;
    for (let index = 0; index < length; index++) {
      const element = value[index];
      if (typeof element === "string" || element === null) continue;
      if (typeof element === "object" ? !isPlainWithin(element) : !isScalar(element)) return false;
    }
    return true;
  }
  // For a plain object, this is faster than a look at the prototype.
  if (value.constructor !== Object) {
    if (hasToJson(value)) return true;
    if (isForeign(value)) return false;
  }
  for (const name in value) {
    const field = (value as Readonly<Record<string, unknown>>)[name];
    if (typeof field === "string" || field === null) continue;
    if (typeof field === "object" ? !isPlainWithin(field) : !isScalar(field)) return false;
  }
  return true;
}

function isScalar(value: unknown): boolean {
  if (typeof value === "number") return value - value === 0;
  return typeof value !== "function" && typeof value !== "symbol";
}

/** @throws {TypeError} If JSON does not have a value at any depth. */
function requireJson(value: unknown, path: string): void {
  switch (typeof value) {
    case "number":
      if (!Number.isFinite(value)) throw noJson(value, path);
      return;
    case "function":
    case "symbol":
      if (!hasToJson(value)) throw noJson(value, path);
      return;
    case "object":
      if (value !== null && !hasToJson(value)) requireJsonWithin(value, path);
  }
}

function requireJsonWithin(value: object, path: string): void {
  if (Array.isArray(value)) {
    for (let index = 0; index < value.length; index++) {
      const element = value[index];
      if (typeof element !== "string") requireJson(element, `${path}[${index}]`);
    }
    return;
  }
  if (isForeign(value)) throw noJson(value, path);
  for (const [name, field] of Object.entries(value)) {
    if (typeof field !== "string") requireJson(field, path === "" ? name : `${path}.${name}`);
  }
}

function hasToJson(value: object | symbol): boolean {
  return typeof (value as { readonly toJSON?: unknown }).toJSON === "function";
}

/** Tags of the objects that JSON writes as they are. */
const JSON_TAGS: readonly string[] = ["Object", "String", "Number", "Boolean", "Arguments", "Module"];

/** Says whether an object is of a kind whose content JSON does not see. An object of a class is not. */
function isForeign(value: object): boolean {
  if (value instanceof Error || ArrayBuffer.isView(value)) return true;
  const tag = tagOf(value);
  return !JSON_TAGS.includes(tag) && (tag === "Error" || Object.keys(value).length === 0);
}

function tagOf(value: unknown): string {
  return Object.prototype.toString.call(value).slice(8, -1);
}

/** Makes the error for a value that JSON does not have. */
function noJson(value: unknown, path: string): TypeError {
  const place = placeOf(path);
  if (typeof value === "number") {
    return new TypeError(
      `Cannot write ${value}${place} as JSON: JSON has no such number. Send null or a text`,
    );
  }
  if (typeof value !== "object") {
    return new TypeError(`Cannot write a ${typeof value}${place} as JSON: JSON has no such value`);
  }
  const tag = tagOf(value);
  return new TypeError(
    `Cannot write ${
      /^[AEIOU]/.test(tag) ? "an" : "a"
    } ${tag}${place} as JSON: convert it to an array or object`,
  );
}

function placeOf(path: string): string {
  return path === "" ? "" : ` at "${path.length <= 100 ? path : `${path.slice(0, 100)}…`}"`;
}
