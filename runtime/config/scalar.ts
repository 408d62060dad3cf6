/**
 * The meaning of a plain (unquoted) YAML scalar to PyYAML, and so to Nameko.
 *
 * PyYAML reads YAML 1.1 with its own resolver, which differs from the specification and from other libraries:
 * `y` and `n` are text, `1e3` is text (a float needs a dot, and an exponent needs a sign), `010` is 8, and
 * `1:30` is 90. This file deviates from PyYAML in two points, so that the result is plain data without loss:
 * a timestamp becomes ISO 8601 text, and an integer that a number cannot hold exactly stays text as it was
 * written.
 */

/** A value that is not a list and not a mapping. */
export type ConfigScalar = null | boolean | number | string;

const NULL = /^(?:~|null|Null|NULL|)$/;
const TRUE = /^(?:yes|Yes|YES|true|True|TRUE|on|On|ON)$/;
const FALSE = /^(?:no|No|NO|false|False|FALSE|off|Off|OFF)$/;
const INTEGER =
  /^[-+]?(?:0b[01_]*[01]_*|0[0-7_]+|0|[1-9][0-9_]*|0x[0-9a-fA-F_]*[0-9a-fA-F]_*|[1-9][0-9_]*(?::[0-5]?[0-9])+)$/;
const FLOAT =
  /^(?:[-+]?[0-9][0-9_]*\.[0-9_]*(?:[eE][-+][0-9]+)?|\.[0-9][0-9_]*(?:[eE][-+][0-9]+)?|[-+]?[0-9][0-9_]*(?::[0-5]?[0-9])+\.[0-9_]*)$/;
const INFINITE = /^[-+]?\.(?:inf|Inf|INF)$/;
const NOT_A_NUMBER = /^\.(?:nan|NaN|NAN)$/;
const DATE = /^\d{4}-\d\d-\d\d$/;
const TIMESTAMP =
  /^(\d{4})-(\d\d?)-(\d\d?)(?:[Tt]|[ \t]+)(\d\d?):(\d\d):(\d\d)(?:\.(\d*))?(?:[ \t]*(?:(Z)|([-+])(\d\d?)(?::(\d\d))?))?$/;

/** Resolves a plain scalar to null, boolean, number, ISO 8601 text for a timestamp, or the text itself. */
export function resolvePlainScalar(text: string): ConfigScalar {
  if (NULL.test(text)) return null;
  if (TRUE.test(text)) return true;
  if (FALSE.test(text)) return false;
  if (INTEGER.test(text)) return integer(text);
  if (FLOAT.test(text)) return magnitude(text, sexagesimal) * sign(text);
  if (INFINITE.test(text)) return Infinity * sign(text);
  if (NOT_A_NUMBER.test(text)) return NaN;
  if (DATE.test(text)) return text;
  const timestamp = TIMESTAMP.exec(text);
  return timestamp === null ? text : isoTimestamp(timestamp);
}

function integer(text: string): number | string {
  const value = magnitude(text, (digits) => {
    if (digits.startsWith("0b") || digits.startsWith("0x")) return Number(digits);
    return digits.startsWith("0") ? Number.parseInt(digits, 8) : sexagesimal(digits);
  });
  return Number.isSafeInteger(value) ? value * sign(text) || 0 : text;
}

function magnitude(text: string, parse: (digits: string) => number): number {
  return parse(text.replace(/^[-+]/, "").replaceAll("_", ""));
}

function sign(text: string): 1 | -1 {
  return text.startsWith("-") ? -1 : 1;
}

function sexagesimal(digits: string): number {
  return digits.split(":").reduce((value, part) => value * 60 + Number(part), 0);
}

function isoTimestamp([, year, month, day, hour, minute, second, fraction, utc, ...zone]: string[]): string {
  const two = (digits: string | undefined) => (digits ?? "00").padStart(2, "0");
  const [zoneSign, zoneHour, zoneMinute] = zone;
  const offset = utc ?? (zoneSign === undefined ? "" : `${zoneSign}${two(zoneHour)}:${two(zoneMinute)}`);
  const seconds = fraction ? `${second}.${fraction}` : second;
  return `${year}-${two(month)}-${two(day)}T${two(hour)}:${minute}:${seconds}${offset}`;
}
