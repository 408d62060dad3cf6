/**
 * This folder holds log records, their lines, and the masking of secrets. This file makes the logs of services,
 * and the records that they send to the main thread.
 *
 * It imports little, because every thread loads it. Records are plain data of limited size: the thread that
 * logs makes each property plain, so that neither a port nor a sink can fail on it.
 */
import { boundText } from "./bounded_text.ts";
import type { LogFields } from "./log_fields.ts";
import { type LoggedError, loggedError, plainProperties } from "./plain_properties.ts";

/** Severity of a record. The least severe level comes first. */
export type LogLevel = "debug" | "info" | "warning" | "error";

/** All levels, the least severe first. */
export const LOG_LEVELS: readonly LogLevel[] = ["debug", "info", "warning", "error"];

/** Least severe level of the records that somebody wants; `none` if nobody wants any record. */
export type LogThreshold = LogLevel | "none";

/** Says whether records of a level are wanted under a threshold. */
export function isWanted(level: LogLevel, threshold: LogThreshold): boolean {
  return threshold !== "none" && LOG_LEVELS.indexOf(level) >= LOG_LEVELS.indexOf(threshold);
}

/** One entry of the log. Structured clone can carry it. */
export interface LogRecord {
  /** How much the record matters. */
  readonly level: LogLevel;
  /** What has happened, in a sentence. */
  readonly message: string;
  /** Name of the service that logged; absent for the runtime itself. */
  readonly service?: string;
  /** Name of the thread that logged; absent for the main thread. */
  readonly thread?: string;
  /** Time in epoch milliseconds. @default {Date.now()} when the record is emitted */
  readonly time?: number;
  /** What the runtime itself states about the record. */
  readonly fields?: LogFields;
  /** Properties as plain data. */
  readonly properties?: Readonly<Record<string, unknown>>;
  /** The error that the record tells of. */
  readonly error?: LoggedError;
  /** Whether it is a line that the process of a service has printed. @default {false} */
  readonly isPrinted?: boolean;
}

/**
 * Writes one message. If the property `error` is an `Error`, the log shows it with its stack. Lines in JSON show
 * `fields` beside the properties; they are for the runtime and its extensions.
 */
export type LogMethod = (
  message: string,
  properties?: Readonly<Record<string, unknown>>,
  fields?: LogFields,
) => void;

/** A log. Logging never throws and never waits. */
export interface Log {
  /** Writes what only somebody who looks for a fault reads. */
  readonly debug: LogMethod;
  /** Writes what happens in the course of things. */
  readonly info: LogMethod;
  /** Writes what somebody should look at, and what goes on all the same. */
  readonly warning: LogMethod;
  /** Writes what has failed. */
  readonly error: LogMethod;
}

/** Options of {@linkcode createLog}. */
export interface CreateLogOptions {
  /** The log calls it with each record. */
  readonly emit: (record: LogRecord) => void;
  /** Name that the records carry. */
  readonly service?: string;
  /** Gives the present threshold of the log, which makes no record below it. @default {always "debug"} */
  readonly threshold?: () => LogThreshold;
  /** Fields of every record, such as the id of a call. A field of the message wins over them. */
  readonly fields?: LogFields;
}

/** Makes a log that hands its records to `emit`. */
export function createLog(
  { emit, service, threshold = () => "debug", fields: common }: CreateLogOptions,
): Log {
  const method = (level: LogLevel): LogMethod => (message, properties, own) => {
    if (!isWanted(level, threshold())) return;
    emit({
      level,
      message: boundText(String(message)),
      time: Date.now(),
      ...(service !== undefined && { service }),
      ...fieldsOf(common, own),
      ...(properties !== undefined && details(properties)),
    });
  };
  return { debug: method("debug"), info: method("info"), warning: method("warning"), error: method("error") };
}

function fieldsOf(common: LogFields | undefined, own: LogFields | undefined): Pick<LogRecord, "fields"> {
  const fields = common === undefined ? own : own === undefined ? common : { ...common, ...own };
  return fields === undefined ? {} : { fields };
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
