import { resolve } from "node:path";
import { isRecord } from "../../runtime/message/plain.ts";
import type { LogLevel, LogRecord } from "../../runtime/log/log.ts";
import type { Section } from "../../runtime/config/section.ts";
import { LogFile, type Rotation, type RotationTime, SizeRotation, TimeRotation } from "./log_file.ts";
import { FACILITIES, Syslog } from "./syslog.ts";

/** Where lines go that go to no file. */
export interface Streams {
  stdout(line: string): void;
  stderr(line: string): void;
  /** Takes a record as if there were no section `LOGGING`. */
  plain(record: LogRecord): void;
}

/** Takes the lines of a handler. */
export interface HandlerOutput extends Disposable {
  /** Whether the lines go to stdout or stderr. @default {false} */
  readonly isStream?: boolean;
  write(line: string, level: LogLevel): void;
}

/**
 * Opens what a handler writes to. Gives undefined for a handler that only Python has.
 *
 * @throws {ConfigurationError} If a value is wrong, or a file cannot be written.
 */
export function openHandler(at: Section, streams: Streams): HandlerOutput | undefined {
  const kind = at.text("class") ?? at.text("()");
  switch (kind) {
    case "logging.StreamHandler":
      return streamOutput(at, streams);
    case "logging.FileHandler":
      return fileOutput(at);
    case "logging.handlers.WatchedFileHandler":
      return fileOutput(at, { isWatched: true });
    case "logging.handlers.RotatingFileHandler":
      return fileOutput(at, {
        rotation: new SizeRotation(at.integer("maxBytes", 0) ?? 0, at.integer("backupCount", 0) ?? 0),
      });
    case "logging.handlers.TimedRotatingFileHandler":
      return fileOutput(at, { rotation: timeRotation(at) });
    case "logging.handlers.SysLogHandler":
      return syslogOutput(at);
    case "logging.NullHandler":
      return { write() {}, [Symbol.dispose]() {} };
    default:
      return undefined;
  }
}

function streamOutput(at: Section, streams: Streams): HandlerOutput {
  const stream = at.text("stream", /^ext:\/\/sys\.std(?:out|err)$/, "ext://sys.stdout or ext://sys.stderr");
  const write = stream === "ext://sys.stdout" ? streams.stdout : streams.stderr;
  return { isStream: true, write: (line) => write(line), [Symbol.dispose]() {} };
}

interface FileOptions {
  readonly rotation?: Rotation;
  readonly isWatched?: boolean;
}

function fileOutput(at: Section, options: FileOptions = {}): HandlerOutput {
  const filename = at.text("filename") ?? at.refuse("filename", "the path of a file");
  const mode = at.text("mode", /^[aw]$/, '"a" or "w"') ?? "a";
  at.text("encoding", /^utf-?8$|^ascii$/i, "utf-8");
  at.flag("delay");
  // As in Python, a file that is put aside does not begin anew.
  return new LogFile(resolve(filename), {
    isNew: mode === "w" && options.rotation === undefined,
    ...options,
  });
}

/** Seconds of the times after which Python puts a file aside, and what it adds to the name. */
const EVERY: Readonly<Record<string, readonly [seconds: number, suffix: string]>> = {
  S: [1, "%Y-%m-%d_%H-%M-%S"],
  M: [60, "%Y-%m-%d_%H-%M"],
  H: [3_600, "%Y-%m-%d_%H"],
  D: [86_400, "%Y-%m-%d"],
};

function timeRotation(at: Section): Rotation {
  const when = (at.text("when", /^(?:[SMHD]|MIDNIGHT|W[0-6])$/i, "S, M, H, D, midnight or W0 to W6") ?? "H")
    .toUpperCase();
  const interval = at.integer("interval", 1) ?? 1;
  const every = EVERY[when];
  const time: RotationTime = every === undefined
    ? { weekday: when === "MIDNIGHT" ? undefined : Number(when[1]), suffix: "%Y-%m-%d" }
    : { every: every[0] * interval, suffix: every[1] };
  return new TimeRotation({
    when: time,
    kept: at.integer("backupCount", 0) ?? 0,
    isUtc: at.flag("utc") ?? false,
  });
}

/** Undefined for an address that is a file, such as `/dev/log`, to which Deno cannot send. */
function syslogOutput(at: Section): HandlerOutput | undefined {
  const address = at.get("address") ?? ["localhost", 514];
  const name = at.get("facility") ?? "user";
  const facility = typeof name === "number" ? name : FACILITIES[String(name)] ??
    at.refuse("facility", `one of ${Object.keys(FACILITIES).join(", ")}`);
  if (typeof address === "string") return undefined;
  const [host, port] = Array.isArray(address) ? address : [];
  if (typeof host !== "string" || typeof port !== "number" || isRecord(host)) {
    return at.refuse("address", "a list of host and port");
  }
  const syslog = new Syslog(host, port, facility);
  return {
    write: (line, level) => syslog.send(line, level),
    [Symbol.dispose]: () => syslog[Symbol.dispose](),
  };
}
