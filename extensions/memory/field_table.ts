import {
  FIELD_DEPTH,
  isPlainTable,
  notAField,
  secondsOf,
  tooDeep,
} from "../../runtime/message/field_table.ts";
import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";

/**
 * Copies a header table, so that the receiver gets its values as over a wire, and none of the publisher's objects.
 *
 * The copy leaves out keys whose value is undefined.
 *
 * @throws {TypeError} If a table cannot carry one of the values, or if tables are nested too deeply.
 */
export function copyFieldTable(table: FieldTable): FieldTable {
  const copy: Record<string, FieldValue> = {};
  for (const key in table) {
    const value = table[key];
    if (value !== undefined) put(copy, key, copyFieldValue(value, key, 0));
  }
  return copy;
}

function put(table: Record<string, FieldValue>, key: string, value: FieldValue): void {
  // An assignment to this key would set the prototype.
  if (key === "__proto__") Object.defineProperty(table, key, { value, enumerable: true });
  else table[key] = value;
}

function copyFieldValue(value: FieldValue, header: string, depth: number): FieldValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "object":
      if (value === null) return null;
      if (depth >= FIELD_DEPTH) throw tooDeep(header);
      if (isList(value)) return value.map((element) => copyFieldValue(element, header, depth + 1));
      if (value instanceof Date) {
        const seconds = secondsOf(value);
        if (seconds === undefined) break;
        return new Date(seconds * 1_000);
      }
      if (value instanceof Uint8Array) return new Uint8Array(value);
      if (isTable(value)) return copyTable(value, header, depth + 1);
  }
  throw notAField(header, value);
}

function copyTable(table: FieldTable, header: string, depth: number): FieldTable {
  const copy: Record<string, FieldValue> = {};
  for (const key in table) {
    const value = table[key];
    if (value !== undefined) put(copy, key, copyFieldValue(value, header, depth));
  }
  return copy;
}

function isList(value: FieldValue): value is readonly FieldValue[] {
  return Array.isArray(value);
}

function isTable(value: object): value is FieldTable {
  return isPlainTable(value);
}
