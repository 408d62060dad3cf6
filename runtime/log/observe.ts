/**
 * This file hands log records to LogTape and turns them into lines.
 *
 * Records go to the LogTape category `["enoki", <service>]`. If a program has configured LogTape itself, no
 * function here changes that configuration: the program's sinks see the records under that category.
 * Otherwise {@linkcode configureLogging} installs one sink that writes lines to stderr.
 */
import {
  configureSync,
  getConfig,
  getLogger,
  type Logger,
  type LogRecord as TapeRecord,
  resetSync,
} from "npm:@logtape/logtape@2.4.2";
import { constants, fstatSync, openSync, statSync, writeSync } from "node:fs";
import { ConfigurationError } from "../message/errors.ts";
import { boundText } from "./bounded_text.ts";
import {
  createLog,
  isWanted,
  type Log,
  LOG_LEVELS,
  type LogLevel,
  type LogRecord,
  type LogThreshold,
} from "./log.ts";
import type { LoggedError } from "./plain_properties.ts";
import { formatJsonLine, formatPrettyLine } from "./log_line.ts";
import { Outlet } from "./outlet.ts";

/** Format of lines: `pretty` is for people, `json` makes one JSON object per record. */
export type LogFormat = "pretty" | "json";

/** Decides, for each service and for the runtime, which records are wanted, and takes them. */
export interface LogRoutes {
  /** Returns the least severe level of a service, or of the runtime without a name. It must be cheap. */
  thresholdOf(service?: string): LogThreshold;
  /** Takes a record. It must not throw, and drops what is not wanted. */
  write(record: LogRecord): void;
}

/** Options of {@linkcode configureLogging}. */
export interface ConfigureLoggingOptions {
  /** Least severe level. Case does not matter, and `warn` means `warning`. @default {"info"} */
  readonly level?: string;
  /** @default {"pretty"} */
  readonly format?: LogFormat;
  /** Takes the text of each record, without the final line break. @default {a write to stderr} */
  readonly write?: (line: string) => void;
  /** Whether lines have colors. @default {true} on a terminal without NO_COLOR, if lines go to stderr */
  readonly colors?: boolean;
  /** Takes the records in place of `write`; the other options then have no effect. @default {one place for all} */
  readonly routes?: LogRoutes;
}

const CATEGORY = "enoki";
/** The logger of the runtime. LogTape resets its loggers in place, so each configuration has this one. */
const OWN = getLogger(CATEGORY);
/** The configuration that this file installed. It differs from one that the program made. */
let installed: ReturnType<typeof getConfig> = null;
/** The options of that configuration. */
let options: ConfigureLoggingOptions = {};
/** The sink of that configuration. */
let sink: (record: LogRecord) => void = () => {};

/**
 * Sends the records of all services and of the runtime to `write`, from now on.
 *
 * @returns False, without an effect, if the program has configured LogTape itself.
 * @throws {ConfigurationError} If there is no such level or format.
 */
export function configureLogging(given: ConfigureLoggingOptions = {}): boolean {
  const { level, format = "pretty", write, colors, routes } = given;
  // Routes decide by themselves what is wanted.
  const lowestLevel = routes === undefined ? parseLogLevel(level ?? "info") : "debug";
  if (format !== "pretty" && format !== "json") {
    throw new ConfigurationError(
      `Cannot use log format "${format}": there is no such format. Choose pretty or json`,
    );
  }
  if (!mayConfigure()) return false;
  const colored = colors ?? (write === undefined && !Deno.noColor && Deno.stderr.isTerminal());
  const formatLine = format === "json"
    ? formatJsonLine
    : (record: LogRecord) => formatPrettyLine(record, colored);
  const writeLine = write ?? ((line: string) => writeToStderr(`${line}\n`));
  sink = routes === undefined ? (record) => writeLine(formatLine(record)) : (record) => routes.write(record);
  configureSync({
    reset: true,
    sinks: { [CATEGORY]: (record) => sink(fromTape(record)) },
    loggers: [
      { category: CATEGORY, sinks: [CATEGORY], lowestLevel },
      { category: ["logtape", "meta"], sinks: [CATEGORY], lowestLevel: "error" },
    ],
  });
  installed = getConfig();
  options = given;
  return true;
}

/**
 * Configures the defaults, unless the program or an earlier call has configured LogTape.
 *
 * @param level Least severe level. It replaces that of an earlier call, but not what the program has configured.
 */
export function ensureLogging(level?: LogLevel): void {
  const config = getConfig();
  if (config === null) configureLogging(level === undefined ? {} : { level });
  else if (config === installed && level !== undefined) configureLogging({ ...options, level });
}

/** Undoes {@linkcode configureLogging}. Until the next call of that function, records go nowhere. */
export function resetLogging(): void {
  if (installed !== null && getConfig() === installed) resetSync();
  installed = null;
  options = {};
}

/** Gets records beside the sinks of LogTape. It must not throw and must not log, and it must be quick. */
export type RecordListener = (record: LogRecord) => void;

/** The listeners, each with the least severe level that it wants; without a level, it follows the log. */
const listeners = new Map<RecordListener, LogLevel | undefined>();

/**
 * Hands each record to `listener` from now on. Nothing in a record is masked.
 *
 * @param level Least severe level, whatever the log itself shows. Services send records of that level while the
 * listener is there. @default {what the log shows}
 * @returns Ends that.
 */
export function observeRecords(listener: RecordListener, level?: LogLevel): () => void {
  listeners.set(listener, level);
  thresholds.clear();
  return () => {
    listeners.delete(listener);
    thresholds.clear();
  };
}

function tellListeners(record: LogRecord): void {
  for (const [listener, wanted] of listeners) {
    const isTaken = wanted === undefined
      ? isShown(loggerOf(record.service), record.level, record.service)
      : isWanted(record.level, wanted);
    if (isTaken) listener(record);
  }
}

function loggerOf(service: string | undefined): Logger {
  return service === undefined ? OWN : OWN.getChild(service);
}

/** Says whether the log shows records of that level. `logger` is that of the service. */
function isShown(logger: Logger, level: LogLevel, service?: string): boolean {
  if (!logger.isEnabledFor(level)) return false;
  const { routes } = options;
  return routes === undefined || getConfig() !== installed || isWanted(level, routes.thresholdOf(service));
}

/** Says whether a listener wants records of that level although the log may not show them. */
function isObserved(level: LogLevel): boolean {
  for (const wanted of listeners.values()) if (wanted !== undefined && isWanted(level, wanted)) return true;
  return false;
}

/** Number of records of each level that went to a sink. */
export const recordCounts: Record<LogLevel, number> = { debug: 0, info: 0, warning: 0, error: 0 };

/** Sends a record, of the main thread or of another thread, to the configured sinks and to the listeners. */
export function emitRecord(record: LogRecord): void {
  if (listeners.size > 0) tellListeners(record);
  const { level, service } = record;
  const bounded = { ...record, message: boundText(record.message), time: record.time ?? Date.now() };
  const logger = loggerOf(service);
  const shown = isShown(logger, level, service);
  if (shown) recordCounts[level]++;
  // LogTape costs a few microseconds, and adds nothing to what the sink of this file gets.
  if (getConfig() !== installed) emitToTape(bounded, logger);
  else if (shown) emitToSink(bounded);
}

function emitToSink(record: LogRecord): void {
  try {
    sink(record);
  } catch {
    // Work does not fail because nobody can write about it.
  }
}

function emitToTape(record: LogRecord & { readonly time: number }, logger: Logger): void {
  const { level, message, time, fields, properties, error } = record;
  logger.emit({
    level,
    message: [message],
    rawMessage: message,
    timestamp: time,
    properties: { ...fields, ...properties, ...(error !== undefined && { error }) },
  });
}

/** Sends records, whose lines reach stderr in one piece. */
export function emitRecords(records: readonly LogRecord[]): void {
  ownStderr().together(() => records.forEach(emitRecord));
}

/** Says whether the runtime's records of that level go anywhere. Ask before making a frequent record. */
export function isLogged(level: LogLevel): boolean {
  return isShown(OWN, level) || isObserved(level);
}

/** The thresholds of services under the configuration `thresholdsOf`, as far as somebody has asked for them. */
const thresholds = new Map<string, LogThreshold>();
let thresholdsOf: ReturnType<typeof getConfig> = null;

/**
 * Returns the least severe level whose records of a service go anywhere at present. It costs a look-up, so a
 * frequent caller notices at once when the program configures LogTape anew.
 */
export function logThreshold(service: string): LogThreshold {
  const config = getConfig();
  if (config !== thresholdsOf) {
    thresholds.clear();
    thresholdsOf = config;
  }
  let threshold = thresholds.get(service);
  if (threshold === undefined) {
    const logger = loggerOf(service);
    threshold = LOG_LEVELS.find((level) => isShown(logger, level, service) || isObserved(level)) ?? "none";
    thresholds.set(service, threshold);
  }
  return threshold;
}

/** Returns the log of the runtime itself, or of the work that the runtime does for one service. */
export function getLog(service?: string): Log {
  return createLog({ emit: emitRecord, ...(service !== undefined && { service }) });
}

/**
 * Returns the level of that name. Case does not matter, and `warn` means `warning`.
 *
 * @throws {ConfigurationError} If there is no such level.
 */
export function parseLogLevel(name: string): LogLevel {
  const lower = name.toLowerCase();
  const level = lower === "warn" ? "warning" : LOG_LEVELS.find((known) => known === lower);
  if (level !== undefined) return level;
  throw new ConfigurationError(
    `Cannot use log level "${name}": there is no such level. Choose one of ${LOG_LEVELS.join(", ")}`,
  );
}

function mayConfigure(): boolean {
  const config = getConfig();
  return config === null || config === installed;
}

/** Makes a record of what a program logs with LogTape itself, under the category of this file. */
function fromTape({ level, message, timestamp, category, properties }: TapeRecord): LogRecord {
  const { error, ...shown } = properties;
  const service = category[0] === CATEGORY ? category[1] : category.join(".");
  const logged = isLoggedError(error);
  return {
    level: level === "trace" ? "debug" : level === "fatal" ? "error" : level,
    message: message.map(String).join(""),
    time: timestamp,
    ...(service !== undefined && { service }),
    ...(error === undefined || logged ? { properties: shown } : { properties }),
    ...(logged && { error }),
  };
}

function isLoggedError(value: unknown): value is LoggedError {
  return typeof value === "object" && value !== null && "name" in value && "message" in value;
}

/**
 * Writes a text to stderr, after everything that was written before. It never throws, and it does not wait for
 * the reader of a pipe: texts that the reader does not take wait, up to 1 MiB, and the log says how many were
 * dropped.
 */
export function writeToStderr(text: string): void {
  ownStderr().write(text);
}

function ownStderr(): Outlet {
  return stderr ??= new Outlet({
    write: stderrWriter(),
    onDropped: (count) =>
      getLog().warning(
        `Dropped ${count} ${count === 1 ? "line" : "lines"} of the log: stderr could not take them in time`,
      ),
  });
}

/** Waits until stderr has taken everything, or until its reader has stood still for `limit` milliseconds. */
export async function stderrSettled(limit: number): Promise<void> {
  await stderr?.settled(limit);
}

let stderr: Outlet | undefined;

/** The file that the process was given as stderr. */
const STDERR = "/proc/self/fd/2";

/**
 * Opens a pipe or a terminal anew, because a write to it must not wait for its reader: Ctrl-S stops a terminal.
 * The flag for that belongs to the open file, and other processes may share the one that this process was given.
 * Only Linux can open it anew, and only with all permissions. A write to anything else waits for the reader.
 */
function stderrWriter(): (bytes: Uint8Array) => number {
  try {
    if (Deno.build.os === "linux" && (isPipe() || mayOpenTerminal())) {
      const { O_WRONLY, O_NONBLOCK, O_NOCTTY } = constants;
      const file = openSync(STDERR, O_WRONLY | O_NONBLOCK | O_NOCTTY);
      return (bytes) => writeSync(file, bytes);
    }
  } catch {
    // The program may not open it, or the reader is gone.
  }
  return (bytes) => Deno.stderr.writeSync(bytes);
}

/** Under `deno test`, Deno puts a pipe of its own in the place of stderr, which cannot be opened anew. */
function isPipe(): boolean {
  const given = fstatSync(2);
  return given.isFIFO() && given.ino === statSync(STDERR).ino;
}

/** At a terminal, Deno would ask its user for a permission that the program lacks. */
function mayOpenTerminal(): boolean {
  return Deno.stderr.isTerminal() && Deno.permissions.querySync({ name: "write" }).state === "granted";
}
