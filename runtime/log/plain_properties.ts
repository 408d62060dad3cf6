/**
 * This file makes plain data of what a program logs.
 *
 * The data has limits: the length of each text, the depth, and the size of all properties together.
 */
import { boundText } from "./bounded_text.ts";

/** An error as data. */
export interface LoggedError {
  /** Name of its class. */
  readonly name: string;
  /** What the error says. */
  readonly message: string;
  /** Where it was made, with its causes. */
  readonly stack?: string;
}

/**
 * The most characters that all properties of one record have together, about. A value that is not a text
 * counts as a few characters. What comes after that is left out, and a mark says how much that is.
 */
export const MAX_LOGGED_PROPERTIES = 65_536;

/** Characters that each value counts for, beside its text. */
const VALUE_SIZE = 8;

const DEEPEST = 6;

/** The characters that the properties of a record may still have. */
interface Room {
  left: number;
}

/** Returns the same properties as plain data. A short text stands in place of a value that is not data. */
export function plainProperties(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return plainRecord(properties, [], { left: MAX_LOGGED_PROPERTIES });
}

/** Describes an error as data. The stack ends with the stacks of its causes. */
export function loggedError(error: Error): LoggedError {
  const stacks: string[] = [];
  let cause: unknown = error;
  while (cause instanceof Error && stacks.length < DEEPEST) {
    stacks.push(boundStack(aboveUs(cause.stack ?? `${cause.name}: ${cause.message}`), String(cause.message)));
    cause = cause.cause;
  }
  return {
    name: boundText(String(error.name)),
    message: boundText(String(error.message)),
    stack: stacks.join("\nCaused by: "),
  };
}

/** Cuts the message that a stack begins with, and its frames. A long message leaves the frames as they are. */
function boundStack(stack: string, message: string): string {
  if (stack.length <= message.length) return boundText(stack);
  const start = stack.indexOf(": ") + 2;
  const frames = stack.startsWith(message, start) ? start + message.length : 0;
  return boundText(stack.slice(0, frames)) + boundText(stack.slice(frames));
}

/**
 * Shortens a handler's stack to the frames of the service.
 *
 * It leaves out the frames that called the handler, which are the same for all handlers, and the frames of
 * Enoki's code that the handler called.
 */
function aboveUs(stack: string): string {
  const lines = stack.split("\n");
  const invoked = lines.findIndex((line) => line.includes(INVOKER));
  if (invoked <= 0) return stack;
  return lines.slice(0, invoked)
    .filter((line) => !FRAME_REGEXP.test(line) || !OURS.some((folder) => line.includes(folder)))
    .join("\n");
}

const INVOKER = import.meta.resolve("../thread/invoker.ts");

const OURS = [import.meta.resolve("../"), import.meta.resolve("../../extensions/")];

const FRAME_REGEXP = /^ +at /;

function plain(value: unknown, ancestors: readonly object[], room: Room): unknown {
  room.left -= VALUE_SIZE;
  switch (typeof value) {
    case "string":
      return plainText(value, room);
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "bigint":
    case "symbol":
      return plainText(String(value), room);
    case "function":
      return plainText(`[function ${value.name || "anonymous"}]`, room);
  }
  if (value === null) return null;
  if (ancestors.length > DEEPEST) return "[…]";
  if (ancestors.includes(value as object)) return "[circular]";
  try {
    return plainObject(value as object, [...ancestors, value as object], room);
  } catch {
    return "[unreadable]";
  }
}

function plainText(text: string, room: Room): string {
  const bounded = boundText(text);
  room.left -= bounded.length;
  return bounded;
}

function plainObject(value: object, ancestors: readonly object[], room: Room): unknown {
  if (value instanceof Error) return plain(loggedError(value), ancestors, room);
  if (Array.isArray(value)) return plainList(value, value.length, ancestors, room);
  if (value instanceof Map || value instanceof Set) return plainList(value, value.size, ancestors, room);
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return plain(toJSON.call(value), ancestors, room);
  return plainRecord(value, ancestors, room);
}

function plainList(
  items: Iterable<unknown>,
  size: number,
  ancestors: readonly object[],
  room: Room,
): readonly unknown[] {
  const list: unknown[] = [];
  for (const item of items) {
    if (room.left <= 0) return [...list, `… [${size - list.length} left out]`];
    list.push(plain(item, ancestors, room));
  }
  return list;
}

function plainRecord(value: object, ancestors: readonly object[], room: Room): Record<string, unknown> {
  const entries = Object.entries(value);
  const shown: [string, unknown][] = [];
  for (const [key, item] of entries) {
    if (room.left <= 0) {
      shown.push(["…", `[${entries.length - shown.length} left out]`]);
      break;
    }
    shown.push([plainText(key, room), plain(item, ancestors, room)]);
  }
  return Object.fromEntries(shown);
}
