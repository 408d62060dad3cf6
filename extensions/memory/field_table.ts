import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";

/**
 * Copies a header table, so that the receiver gets its values as over a wire, and none of the publisher's objects.
 *
 * The copy leaves out keys whose value is undefined.
 *
 * @throws {TypeError} If a table cannot carry one of the values.
 */
export function copyFieldTable(table: FieldTable): FieldTable {
  const copy: Record<string, FieldValue> = {};
  for (const key in table) {
    const value = table[key];
    if (value !== undefined) copy[key] = copyFieldValue(value, key);
  }
  return copy;
}

function copyFieldValue(value: FieldValue, key: string): FieldValue {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      if (Number.isFinite(value)) return value;
      break;
    case "object":
      if (value === null) return null;
      if (isList(value)) return value.map((element) => copyFieldValue(element, key));
      if (isTable(value)) return copyFieldTable(value);
  }
  throw new TypeError(
    `Cannot carry header "${key}": ${
      describe(value)
    } is not a field value. Send null, a boolean, a finite number, ` +
      "a string, an array or a plain object",
  );
}

function isList(value: FieldValue): value is readonly FieldValue[] {
  return Array.isArray(value);
}

function isTable(value: object): value is { readonly [key: string]: FieldValue } {
  const prototype = Object.getPrototypeOf(value);
  return prototype === Object.prototype || prototype === null;
}

function describe(value: unknown): string {
  return typeof value === "number" ? `${value}` : Object.prototype.toString.call(value).slice(8, -1);
}
