import { encodeJson } from "../../runtime/message/codec.ts";
import type { Plain } from "../../runtime/message/plain.ts";

/** Names a value in a cache: a text, or plain data such as `["price", { sku: 7 }]`, in which the order of keys does not count. */
export type CacheKey = Plain;

/** Characters that a key has at most, as JSON. */
export const MOST_KEY = 4_096;

/**
 * Writes a key as one text, which differs for keys that differ.
 *
 * @throws {TypeError} If JSON has no such value.
 * @throws {RangeError} If the key is too long.
 */
export function keyText(key: unknown): string {
  // No JSON of anything else begins with this sign, and a text needs no more than the sign to be told from it.
  if (typeof key === "string") return bounded(`"${key}`);
  if (key === undefined) {
    throw new TypeError("Cannot use undefined as the key of a cached value: pass a text or plain data");
  }
  const text = encodeJson(key);
  return bounded(text.includes("{") ? JSON.stringify(JSON.parse(text, sorted)) : text);
}

function bounded(text: string): string {
  if (text.length <= MOST_KEY) return text;
  throw new RangeError(
    `Cannot use a key of ${text.length} characters for a cached value: it may have ${MOST_KEY}. ` +
      "Use what tells the value apart, or a digest of it",
  );
}

/** Gives an object with its keys in order. `JSON.parse` calls it from the inside out. */
function sorted(_key: string, value: unknown): unknown {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return value;
  return Object.fromEntries(Object.entries(value).toSorted(([a], [b]) => a < b ? -1 : 1));
}
