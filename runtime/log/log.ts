/**
 * This file makes the logs of services, and the records that they send to the main thread.
 *
 * It imports nothing, because every thread loads it. Records are plain data: the thread that logs makes each
 * property plain, so that neither a port nor a sink can fail on it.
 */

/** Severity of a record. The least severe level comes first. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** All levels, the least severe first. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** An error as data. */
export interface LoggedError {
  readonly name: string;
  readonly message: string;
  readonly stack?: string;
}

/** One entry of the log. Structured clone can carry it. */
export interface LogRecord {
  readonly level: LogLevel;
  readonly message: string;
  /** Name of the service that logged; absent for the runtime itself. */
  readonly service?: string;
  /** Time in epoch milliseconds. @default {Date.now()} when the record is emitted */
  readonly time?: number;
  /** Properties as plain data. */
  readonly properties?: Readonly<Record<string, unknown>>;
  readonly error?: LoggedError;
}

/** Writes one message. If the property `error` is an `Error`, the log shows it with its stack. */
export type LogMethod = (message: string, properties?: Readonly<Record<string, unknown>>) => void;

/** A log. Logging never throws and never waits. */
export interface Log {
  readonly debug: LogMethod;
  readonly info: LogMethod;
  readonly warning: LogMethod;
  readonly error: LogMethod;
}

/** Options of {@linkcode createLog}. */
export interface CreateLogOptions {
  /** The log calls it with each record. */
  readonly emit: (record: LogRecord) => void;
  /** Name that the records carry. */
  readonly service?: string;
  /** Least severe level that the log takes. It makes no record below that level. @default {"debug"} */
  readonly level?: LogLevel;
  /** Properties of every record, such as the id of a call. A property of the message wins over them. */
  readonly properties?: Readonly<Record<string, unknown>>;
}

const DEEPEST = 6;

/** Makes a log that hands its records to `emit`. */
export function createLog({ emit, service, level = "debug", properties: common }: CreateLogOptions): Log {
  const lowest = LOG_LEVELS.indexOf(level);
  const method = (level: LogLevel): LogMethod => {
    if (LOG_LEVELS.indexOf(level) < lowest) return () => {};
    return (message, properties) => {
      emit({
        level,
        message: String(message),
        time: Date.now(),
        ...(service !== undefined && { service }),
        ...details({ ...common, ...properties }),
      });
    };
  };
  return { debug: method("debug"), info: method("info"), warning: method("warning"), error: method("error") };
}

/** Splits the error from the properties. A value that throws when it is read must not make a call fail. */
function details(given: Readonly<Record<string, unknown>>): Pick<LogRecord, "properties" | "error"> {
  try {
    const { error, ...rest } = given;
    if (error instanceof Error) return { properties: plainProperties(rest), error: loggedError(error) };
    return { properties: plainProperties(given) };
  } catch {
    return { properties: { properties: "[unreadable]" } };
  }
}

/** Describes an error as data. The stack ends with the stacks of its causes. */
function loggedError(error: Error): LoggedError {
  const stacks: string[] = [];
  let cause: unknown = error;
  while (cause instanceof Error && stacks.length < DEEPEST) {
    stacks.push(aboveUs(cause.stack ?? `${cause.name}: ${cause.message}`));
    cause = cause.cause;
  }
  return { name: String(error.name), message: String(error.message), stack: stacks.join("\nCaused by: ") };
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

/** Returns the same properties as plain data. A short text stands in place of a value that is not data. */
function plainProperties(properties: Readonly<Record<string, unknown>>): Record<string, unknown> {
  return plain(properties, []) as Record<string, unknown>;
}

function plain(value: unknown, ancestors: readonly object[]): unknown {
  switch (typeof value) {
    case "string":
    case "number":
    case "boolean":
    case "undefined":
      return value;
    case "bigint":
    case "symbol":
      return String(value);
    case "function":
      return `[function ${value.name || "anonymous"}]`;
  }
  if (value === null) return null;
  if (ancestors.length > DEEPEST) return "[…]";
  if (ancestors.includes(value as object)) return "[circular]";
  try {
    return plainObject(value as object, [...ancestors, value as object]);
  } catch {
    return "[unreadable]";
  }
}

function plainObject(value: object, ancestors: readonly object[]): unknown {
  if (value instanceof Error) return plain(loggedError(value), ancestors);
  if (Array.isArray(value)) return value.map((item) => plain(item, ancestors));
  if (value instanceof Map) return [...value].map((entry) => plain(entry, ancestors));
  if (value instanceof Set) return [...value].map((item) => plain(item, ancestors));
  if (ArrayBuffer.isView(value) || value instanceof ArrayBuffer) return `[${value.byteLength} bytes]`;
  const { toJSON } = value as { toJSON?: unknown };
  if (typeof toJSON === "function") return plain(toJSON.call(value), ancestors);
  return Object.fromEntries(Object.entries(value).map(([key, item]) => [key, plain(item, ancestors)]));
}
