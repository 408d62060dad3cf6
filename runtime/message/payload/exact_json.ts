/**
 * JSON whose integers keep their digits, whatever their size.
 *
 * Python's integers have no limit, and JavaScript's numbers are exact up to 2⁵³. An integer beyond that, such as an id
 * of 64 bits, is read as a `bigint` where `bigints` is set, and refused elsewhere: never changed in silence. What comes
 * from a number of JavaScript, such as 2⁶⁰, is no exception to that and no loss: it is written with the digits that
 * JavaScript writes, and an integer of just these digits is read as that number.
 *
 * In the common case, a text costs a look at every 16th of its characters more: a run of 16 digits, which the smallest
 * unsafe integer has, covers one of these places. Only a text with such a run where a value stands is read slowly.
 */
import { bodyText, decodeJson, encodeJson, JSON_CONTENT_TYPE } from "../codec.ts";
import type { Serializer } from "../serializer.ts";

/** JSON that refuses integers beyond 2⁵³. */
export const jsonSerializer: Serializer = {
  contentType: JSON_CONTENT_TYPE,
  contentEncoding: "utf-8",
  encode: encodeJson,
  decode: (body) => decodeExactJson(bodyText(body), false),
  withBigints: (bigints) => bigints ? bigintJsonSerializer : jsonSerializer,
};

/** JSON whose integers beyond 2⁵³ are `bigint`s. */
export const bigintJsonSerializer: Serializer = {
  ...jsonSerializer,
  encode: encodeBigintJson,
  decode: (body) => decodeExactJson(bodyText(body), true),
};

/**
 * Parses JSON, including Python's extensions.
 *
 * @param bigints Whether integers beyond 2⁵³ become `bigint`s.
 * @throws {RangeError} If they do not, and the text has one that JavaScript would change.
 * @throws {SyntaxError} If the text is not JSON.
 */
export function decodeExactJson(text: string, bigints: boolean): unknown {
  if (!hasLongInteger(text)) return decodeJson(text);
  return decodeJson(text, bigints ? readBigint : requireExact);
}

/** Writes JSON, and a `bigint` as an integer. */
export function encodeBigintJson(value: unknown): string {
  return encodeJson(value, true);
}

/** Number of digits that the smallest unsafe integer, 9007199254740993, has. */
const DIGITS = 16;

/** First digit of the smallest unsafe integer. */
const NINE = 57;

/**
 * Says whether a text may have an unsafe integer. A yes may be wrong. Each character is read at most three times,
 * because no run of digits is looked at again once it is known to be none.
 */
export function hasLongInteger(text: string): boolean {
  const { length } = text;
  let refused = -1;
  for (let place = DIGITS - 1; place < length; place += DIGITS) {
    if (!isDigit(text, place)) continue;
    // A run that has this place and is long enough has one of these, too.
    if (!isDigit(text, place - DIGITS / 2) && !isDigit(text, place + DIGITS / 2)) continue;
    let start = place;
    while (start > refused && isDigit(text, start - 1)) start--;
    if (start > refused && mayBegin(text.charCodeAt(start - 1))) {
      let end = place + 1;
      while (isDigit(text, end)) end++;
      const isUnsafe = end - start > DIGITS || (end - start === DIGITS && text.charCodeAt(start) === NINE);
      if (isUnsafe && mayEnd(text.charCodeAt(end))) return true;
    }
    refused = place;
  }
  return false;
}

function isDigit(text: string, place: number): boolean {
  const code = text.charCodeAt(place);
  return code >= 48 && code <= 57;
}

/** Whether an integer may stand behind a character: a fraction and most texts do not, such as `"` and `.`. */
function mayBegin(code: number): boolean {
  // NaN is the beginning of the text. The others are white space, a minus, a comma, a colon and a bracket.
  return code !== code || code <= 32 || code === 45 || code === 44 || code === 58 || code === 91;
}

/** Whether an integer may stand before a character: neither a fraction nor an exponent follows. */
function mayEnd(code: number): boolean {
  return code !== code || code <= 32 || code === 44 || code === 93 || code === 125;
}

/** Most digits of an integer, as in Python: to read more would take long. */
const MOST_DIGITS = 4_300;

const INTEGER_REGEXP = /^-?\d+$/;

function isLong(source: string, value: number): boolean {
  if (Number.isSafeInteger(value) || !INTEGER_REGEXP.test(source)) return false;
  if (source.length > MOST_DIGITS) {
    throw new RangeError(`an integer has more than ${MOST_DIGITS} digits. Send it as text`);
  }
  return true;
}

function readBigint(source: string, value: number): unknown {
  return isLong(source, value) ? BigInt(source) : value;
}

function requireExact(source: string, value: number): unknown {
  if (!isLong(source, value) || String(value) === source) return value;
  const shown = source.length <= 40 ? source : `${source.slice(0, 40)}…`;
  throw new RangeError(
    `JavaScript's numbers cannot hold the integer ${shown}. Set bigints: true to read it as a bigint, or send text`,
  );
}
