/**
 * This file says what a header table may carry, and how a copy of a message keeps what a service cannot see.
 *
 * A field table carries null, booleans, finite numbers, text, dates from 1970 on, bytes, arrays and plain objects.
 * Anything else would arrive as something else, or make the broker close the connection, so every publisher refuses
 * it here.
 *
 * A peer may send values that no service of ours can hold: decimals, 64-bit integers. The
 * transport then keeps the bytes of these fields beside the decoded table, and whoever copies the message
 * hands them on with {@linkcode keepWireFields}.
 */
import type { FieldTable, FieldValue } from "./transport.ts";

/** Largest number of tables and arrays inside each other that a header may have. */
export const FIELD_DEPTH = 64;

/** Largest number of bytes of a header's name. */
const NAME_LIMIT = 255;

/**
 * Checks that a field table can carry a table as it is. A header that is undefined counts as absent.
 *
 * @throws {TypeError} If a field table cannot carry one of the values.
 * @throws {RangeError} If the name of a header is too long.
 */
export function requireFields(table: FieldTable): void {
  for (const name in table) {
    const value = table[name];
    if (value === undefined) continue;
    requireName(name, name);
    if (!isSimple(value)) requireValue(value, name, 1);
  }
}

function isSimple(value: unknown): boolean {
  return typeof value === "string" && value.isWellFormed();
}

function requireValue(value: FieldValue, header: string, depth: number): void {
  switch (typeof value) {
    case "boolean":
      return;
    case "string":
      if (value.isWellFormed()) return;
      break;
    case "number":
      if (Number.isFinite(value)) return;
      break;
    case "object": {
      if (value === null) return;
      if (depth > FIELD_DEPTH) throw tooDeep(header);
      if (Array.isArray(value)) {
        // An index also visits the holes, which `for…of` and forEach() treat differently.
        for (let index = 0; index < value.length; index++) requireValue(value[index], header, depth + 1);
        return;
      }
      if (isOpaque(value)) {
        if (!(value instanceof Date) || secondsOf(value) !== undefined) return;
        break;
      }
      if (!isPlainTable(value)) break;
      const table = value as FieldTable;
      for (const name in table) {
        requireName(name, header);
        if (table[name] !== undefined) requireValue(table[name], header, depth + 1);
      }
      return;
    }
  }
  throw notAField(header, value);
}

function requireName(name: string, header: string): void {
  // A UTF-16 code unit takes at most three bytes of UTF-8.
  if (name.length * 3 > NAME_LIMIT && new TextEncoder().encode(name).length > NAME_LIMIT) {
    throw new RangeError(`Cannot carry header "${short(header)}": a name in it exceeds ${NAME_LIMIT} bytes`);
  }
  if (!name.isWellFormed()) throw notAField(header, name);
}

/** Says whether an object is one that a field table carries as a single value: a date or bytes. */
export function isOpaque(value: object): value is Date | Uint8Array {
  return value instanceof Date || value instanceof Uint8Array;
}

/** Says whether a value is a date or bytes, or has some inside. */
export function hasOpaque(value: FieldValue | undefined): boolean {
  if (typeof value !== "object" || value === null) return false;
  if (isOpaque(value)) return true;
  for (const key in value) if (hasOpaque((value as FieldTable)[key])) return true;
  return false;
}

/** Gives the whole seconds since the epoch that a field table has for a date; undefined if it has no such date. */
export function secondsOf(date: Date): number | undefined {
  const seconds = Math.floor(date.getTime() / 1_000);
  return seconds >= 0 ? seconds : undefined;
}

/** Says whether an object is one that a field table carries as a table. */
export function isPlainTable(value: object): boolean {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null ||
    // The object may come from another realm.
    (Object.getPrototypeOf(prototype) === null && Object.hasOwn(prototype, "isPrototypeOf"));
}

/** Makes the error for a value that a field table cannot carry. */
export function notAField(header: string, value: unknown): TypeError {
  return new TypeError(
    `Cannot carry header "${short(header)}": ${describe(value)} is not a field value. ` +
      "Send null, a boolean, a finite number, a string, a Date from 1970 on, a Uint8Array, an array or a plain object",
  );
}

/** Makes the error for tables and arrays that contain each other too deeply, or without end. */
export function tooDeep(header: string): TypeError {
  return new TypeError(
    `Cannot carry header "${short(header)}": it is nested more than ${FIELD_DEPTH} levels deep`,
  );
}

function describe(value: unknown): string {
  switch (typeof value) {
    case "number":
    case "undefined":
      return `${value}`;
    case "string":
      return "text with half of a surrogate pair";
    case "object":
      if (value instanceof Date) {
        return `the date ${Number.isNaN(value.getTime()) ? "NaN" : value.toISOString()}`;
      }
      return Object.prototype.toString.call(value).slice(8, -1);
    default:
      return `a ${typeof value}`;
  }
}

/** Shortens a name for a message. */
function short(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 60).toWellFormed()}…`;
}

/** A field as it was on the wire: name, type and value. */
export interface WireField {
  /** What the decoded table has for it; undefined if services do not see the field. */
  readonly value: FieldValue | undefined;
  readonly bytes: Uint8Array;
}

const WIRE_FIELDS = new WeakMap<FieldTable, ReadonlyMap<string, WireField>>();

/** Attaches to a decoded table the fields that another encoding would change. */
export function setWireFields(table: FieldTable, fields: ReadonlyMap<string, WireField>): void {
  WIRE_FIELDS.set(table, fields);
}

/** Returns the fields of a table that must be written as they were on the wire; undefined if there are none. */
export function wireFieldsOf(table: FieldTable): ReadonlyMap<string, WireField> | undefined {
  return WIRE_FIELDS.get(table);
}

/** Makes a transport write the headers of `copy` that `keeps` names as they were in `original`. */
export function keepWireFields(
  copy: FieldTable,
  original: FieldTable | undefined,
  keeps: (name: string) => boolean,
): void {
  const fields = original && WIRE_FIELDS.get(original);
  if (fields !== undefined) WIRE_FIELDS.set(copy, new Map([...fields].filter(([name]) => keeps(name))));
}
