/** Formats log records as the formatters of Python's `logging` do. */
import process from "node:process";
import type { LogLevel, LogRecord } from "../../runtime/log/log.ts";
import { errorLines, formatText } from "../../runtime/log/log_line.ts";
import { formatTime } from "./time_format.ts";

/** The three ways in which a format names an attribute of a record. */
export type FormatStyle = "%" | "{" | "$";

/** Turns a record into lines, without the final line break. */
export type RecordFormat = (record: LogRecord) => string;

/** Options of {@linkcode compileFormat}. */
export interface FormatOptions {
  readonly style: FormatStyle;
  /** Format of `asctime`. @default {Python's, with milliseconds} */
  readonly datefmt?: string | undefined;
}

/** Name of the runtime's own logger. */
export const RUNTIME_NAME = "enoki";

const LEVELS: Readonly<Record<LogLevel, readonly [name: string, number: number]>> = {
  debug: ["DEBUG", 10],
  info: ["INFO", 20],
  warning: ["WARNING", 30],
  error: ["ERROR", 40],
};

const STARTED = Date.now();

type Attribute = (
  record: Required<Pick<LogRecord, "time">> & LogRecord,
  asctime: () => string,
) => string | number;

/** The attributes that records have here. */
const ATTRIBUTES: Readonly<Record<string, Attribute>> = {
  asctime: (_record, asctime) => asctime(),
  created: ({ time }) => time / 1_000,
  levelname: ({ level }) => LEVELS[level][0],
  levelno: ({ level }) => LEVELS[level][1],
  message: ({ service: _service, ...record }) => formatText(record),
  msecs: ({ time }) => time % 1_000,
  name: ({ service = RUNTIME_NAME }) => service,
  process: () => process.pid,
  processName: () => "MainProcess",
  relativeCreated: ({ time }) => time - STARTED,
  thread: ({ thread = "main" }) => thread,
  threadName: ({ thread = "main" }) => thread,
};

/** What stands for an attribute that records have in Python alone, such as the line of the code. */
const UNKNOWN = "-";

/** The attributes in a format, each with how it is padded. */
const REFERENCES: Readonly<Record<FormatStyle, RegExp>> = {
  "%": /%(?:\((\w+)\)([-+ #0]*\d*(?:\.\d+)?)([a-zA-Z])|(%))/g,
  "{": /\{(\w+)(?:![rsa])?(?::([^{}]*))?\}|(\{\{|\}\})/g,
  "$": /\$(?:\{(\w+)\}|(\w+)|(\$))/g,
};

/** Gives the attributes in a format that records do not have here. */
export function unknownAttributes(format: string, style: FormatStyle): readonly string[] {
  const names = [...format.matchAll(REFERENCES[style])].flatMap((match) => nameOf(match, style) ?? []);
  return [...new Set(names)].filter((name) => !Object.hasOwn(ATTRIBUTES, name));
}

function nameOf(match: RegExpMatchArray, style: FormatStyle): string | undefined {
  return match[1] ?? (style === "$" ? match[2] : undefined);
}

/** Makes the function that formats records. The stack of an error stands below, as in Python. */
export function compileFormat(format: string, { style, datefmt }: FormatOptions): RecordFormat {
  const pieces = piecesOf(format, style);
  return (given) => {
    const record = { ...given, time: given.time ?? Date.now() };
    const asctime = () =>
      datefmt === undefined
        ? `${formatTime(record.time, "%Y-%m-%d %H:%M:%S")},${String(record.time % 1_000).padStart(3, "0")}`
        : formatTime(record.time, datefmt);
    const text = pieces.map((piece) => typeof piece === "string" ? piece : piece(record, asctime)).join("");
    return [text, ...errorLines(record)].join("\n");
  };
}

/** A text of a format as it stands, or what writes an attribute in its place. */
type Piece = string | ((...given: Parameters<Attribute>) => string);

function piecesOf(format: string, style: FormatStyle): readonly Piece[] {
  const pieces: Piece[] = [];
  let end = 0;
  for (const match of format.matchAll(REFERENCES[style])) {
    pieces.push(format.slice(end, match.index), pieceOf(match, style));
    end = match.index + match[0].length;
  }
  return [...pieces, format.slice(end)];
}

function pieceOf(match: RegExpMatchArray, style: FormatStyle): Piece {
  const name = nameOf(match, style);
  if (name === undefined) return match[0]!.slice(1);
  const attribute = Object.hasOwn(ATTRIBUTES, name) ? ATTRIBUTES[name]! : () => UNKNOWN;
  const padded = style === "%" ? percent(match[2]!, match[3]!) : style === "{" ? braces(match[2]) : String;
  return (record, asctime) => padded(attribute(record, asctime));
}

/** Turns the value of an attribute into a text. */
type Padding = (value: string | number) => string;

/** Pads as `%-8s`, `%06d` and `%.2f` do. */
function percent(spec: string, conversion: string): Padding {
  const [, flags = "", length = "", precision] = /^([-+ #0]*)(\d*)(?:\.(\d+))?$/.exec(spec) ?? [];
  const width = Number(length);
  const decimals = Number(precision ?? 6);
  const most = precision === undefined ? undefined : Number(precision);
  return (value) => {
    const text = typeof value === "string"
      ? value.slice(0, most)
      : conversion === "f"
      ? value.toFixed(decimals)
      : String(conversion === "d" ? Math.trunc(value) : value);
    if (flags.includes("-")) return text.padEnd(width);
    return text.padStart(width, flags.includes("0") && typeof value === "number" ? "0" : " ");
  };
}

/** Pads as `{levelname:<8}` does. */
function braces(spec = ""): Padding {
  const [, fill = " ", align, zero, length = "", precision, kind] =
    /^(?:(.)?([<>^]))?(0)?(\d*)(?:\.(\d+))?([a-z])?$/.exec(spec) ?? [];
  const width = Number(length);
  const decimals = Number(precision ?? 6);
  const most = precision === undefined ? undefined : Number(precision);
  const padding = zero === undefined ? fill : "0";
  return (value) => {
    const text = typeof value === "string"
      ? value.slice(0, most)
      : kind === "f"
      ? value.toFixed(decimals)
      : String(value);
    if (align === "^") {
      return text.padStart(Math.floor((width + text.length) / 2), padding).padEnd(width, padding);
    }
    const isRight = align === ">" || (align === undefined && typeof value === "number");
    return isRight ? text.padStart(width, padding) : text.padEnd(width, padding);
  };
}
