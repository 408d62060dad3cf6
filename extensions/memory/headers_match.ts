import { isDeepStrictEqual } from "node:util";
import { isOpaque } from "../../runtime/message/field_table.ts";
import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";

/**
 * Says whether headers fit the arguments of a binding to a headers exchange.
 *
 * The argument `x-match` is `all` (the default), `any`, `all-with-x` or `any-with-x`. Other arguments that start
 * with `x-` count only with the last two. An argument that is null fits every value of its header, but the header
 * must be there.
 */
export function headersMatch(wanted: FieldTable, headers: FieldTable): boolean {
  const match = wanted["x-match"] ?? "all";
  const all = match === "all" || match === "all-with-x";
  const withX = match === "all-with-x" || match === "any-with-x";
  for (const [key, value] of Object.entries(wanted)) {
    if (key === "x-match" || (!withX && key.startsWith("x-"))) continue;
    const header = headers[key];
    const fits = header !== undefined && (value === null || fieldEquals(value, header));
    if (fits !== all) return fits;
  }
  return all;
}

/** Says whether two field values have the same content. */
export function fieldEquals(one: FieldValue | undefined, other: FieldValue | undefined): boolean {
  if (one === other) return true;
  if (typeof one !== "object" || typeof other !== "object" || one === null || other === null) return false;
  if (isOpaque(one) || isOpaque(other)) return isDeepStrictEqual(one, other);
  if (Array.isArray(one) !== Array.isArray(other)) return false;
  const [left, right] = [one as FieldTable, other as FieldTable];
  const keys = Object.keys(left);
  return keys.length === Object.keys(right).length && keys.every((key) => fieldEquals(left[key], right[key]));
}
