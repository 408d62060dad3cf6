/**
 * This file turns log records into lines of text.
 *
 * In JSON, one record is always one line. In the pretty format, it is one line plus the indented lines of its
 * error's stack. No value can forge a line or a colour, because the formatters escape control characters.
 * They also mask the passwords of URIs, and properties whose names sound like secrets.
 */
import { boundText } from "./bounded_text.ts";
import type { LogLevel, LogRecord } from "./log.ts";
import type { LogFields } from "./log_fields.ts";
import { isSecretKey, MASK, maskSecrets } from "./secrets.ts";
import { escapeControls } from "./terminal_text.ts";

const RESET = "\x1b[0m";
const DIM = "\x1b[2m";
const COLOR: Readonly<Record<LogLevel, string>> = {
  debug: "\x1b[2m",
  info: "\x1b[32m",
  warning: "\x1b[33m",
  error: "\x1b[31m",
};
const NEEDS_QUOTES = /^$|[\s"'=\\]/;

/**
 * Formats a record as one JSON object: time (ISO 8601), level, service, the {@linkcode LogFields}, message, properties,
 * error.
 */
export function formatJsonLine(
  { time = Date.now(), level, service, fields, message, properties, error }: LogRecord,
): string {
  const shown = properties !== undefined && Object.keys(properties).length > 0;
  return escapeControls(JSON.stringify({
    time: new Date(time).toISOString(),
    level,
    service: maskSecrets(service),
    ...maskSecrets(fields, maskBounded),
    message: maskBounded(message),
    properties: shown ? maskSecrets(properties, maskBounded) : undefined,
    error: maskSecrets(error),
  }));
}

/** Formats a record as local time, level and {@linkcode formatText}, then the indented stack. */
export function formatPrettyLine(record: LogRecord, colored: boolean): string {
  const { time = Date.now(), level } = record;
  const paint = (color: string, text: string) => (colored ? color + text + RESET : text);
  const line = [
    paint(DIM, clock(time)),
    paint(COLOR[level], level.padEnd(7)),
    formatText(record, (text) => paint(DIM, text)),
  ].join(" ");
  return [line, ...errorLines(record)].join("\n");
}

/** Gives the indented lines of the stack of a record's error; none without an error. */
export function errorLines({ error }: Pick<LogRecord, "error">): readonly string[] {
  if (error === undefined) return [];
  const stack = maskSecrets(error.stack ?? `${error.name}: ${error.message}`);
  return stack.split(/\r?\n/).map((text) => "    " + escapeControls(text));
}

/**
 * Formats what a record says: service, message and `key=value` pairs.
 *
 * @param paintKey Colors the keys. @default {they have no color}
 */
export function formatText(
  { service, fields = {}, message, properties = {} }: LogRecord,
  paintKey: (text: string) => string = (text) => text,
): string {
  const parts = service === undefined ? [] : [escapeControls(service)];
  parts.push(clean(message));
  for (const [key, value] of [...signposts(fields), ...Object.entries(properties)]) {
    if (value !== undefined) parts.push(paintKey(`${clean(key)}=`) + formatProperty(key, value));
  }
  return parts.join(" ");
}

/** The fields by which a reader finds the other lines of a call, a request or a trace. */
function signposts({ trace, call, request }: LogFields): readonly (readonly [string, unknown])[] {
  return [["trace", trace], call === undefined ? ["request", request] : ["call", call]];
}

function clock(time: number): string {
  const date = new Date(time);
  const two = (value: number) => String(value).padStart(2, "0");
  const milliseconds = String(date.getMilliseconds()).padStart(3, "0");
  return `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())}.${milliseconds}`;
}

function formatProperty(key: string, value: unknown): string {
  if (isSecretKey(key) && value !== null && typeof value !== "boolean") return MASK;
  if (typeof value === "string") {
    const text = maskBounded(value);
    return escapeControls(NEEDS_QUOTES.test(text) ? JSON.stringify(text) : text);
  }
  return escapeControls(JSON.stringify(maskSecrets(value, maskBounded)) ?? String(value));
}

function clean(text: string): string {
  return escapeControls(maskBounded(text));
}

function maskBounded(text: string): string {
  return maskSecrets(boundText(text));
}
