/** Data from a thread may not be nested deeper than this. */
const DEEPEST = 64;

/** What an item of a list or a key of an object takes at least. */
const ITEM = 8;

/** What is left of the size that the present walk may find. A walk has no other state, so it allocates nothing. */
let left = 0;

/**
 * Measures data that a thread has sent, before the main thread works on it.
 *
 * @param most Size after which the walk ends, so that a list with a length of billions takes no time.
 * @param opaque Whether objects that are no plain data, such as dates and bytes, may occur.
 * @returns About the bytes of the data: infinite for more than `most`, NaN if the data is nested too deep or
 * is no plain data.
 */
export function plainSize(value: unknown, most: number, opaque = false): number {
  left = most;
  if (walk(value, DEEPEST, opaque)) return most - left;
  return left < 0 ? Infinity : NaN;
}

function walk(value: unknown, depth: number, opaque: boolean): boolean {
  if ((left -= ITEM) < 0) return false;
  if (typeof value === "string") return (left -= value.length) >= 0;
  if (typeof value !== "object" || value === null) return opaque || typeof value !== "bigint";
  if (Array.isArray(value)) {
    if (depth === 0) return false;
    // The length counts, and not the items: a list may have a length of billions and no item.
    if (value.length * ITEM > left) {
      left = -1;
      return false;
    }
    for (const item of value) if (!walk(item, depth - 1, opaque)) return false;
    return true;
  }
  if (Object.getPrototypeOf(value) !== Object.prototype) return opaque;
  if (depth === 0) return false;
  for (const key in value) {
    if ((left -= key.length) < 0 || !walk((value as Record<string, unknown>)[key], depth - 1, opaque)) {
      return false;
    }
  }
  return true;
}

/**
 * Most characters of JSON in one message from a thread. What V8 makes of them takes up to twenty times their memory. Long
 * texts and bytes, such as bodies, stand beside the JSON.
 */
export const MOST_JSON: number = 4 * 1_048_576;

/**
 * Reads JSON that a thread has sent.
 *
 * @throws {RangeError} If it is longer than {@linkcode MOST_JSON}.
 * @throws {SyntaxError} If it is no JSON.
 */
export function boundedJson<Value>(text: string): Value {
  if (text.length > MOST_JSON) throw new RangeError("Cannot read a message: its JSON is too long");
  return JSON.parse(text);
}
