/**
 * The log of the processes that serve, as it is made.
 *
 * A record travels as the log's JSON line has it, with its secrets masked. Without the operator's consent it has no
 * properties and of its error only the name; the arguments of a call never leave the process. What is too much in a
 * second is left out, and counted.
 */
import { checkedFields } from "../../runtime/log/log_fields.ts";
import { formatJsonLine } from "../../runtime/log/log_line.ts";
import {
  isWanted,
  LOG_LEVELS,
  type LogLevel,
  type LogRecord,
  type LogThreshold,
} from "../../runtime/log/log.ts";
import { isLogged, observeRecords } from "../../runtime/log/observe.ts";
import { RecordLimit } from "../../runtime/log/record_limit.ts";
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";
import { pause } from "../../runtime/waiting/abort.ts";
import type { ControlAnswer, ControlClient } from "./control_client.ts";
import type { ControlRequest } from "./request.ts";
import { isTraceStart } from "./traced_calls.ts";

/** Records that a process sends in a second. */
const MOST_RECORDS = 500;

/** Characters of the records that wait until the broker has taken the earlier ones. */
const MOST_WAITING = 2 ** 20;

/** Milliseconds in which records gather, so that they are sent together. */
const GATHERING = 50;

/**
 * Answers `tail`: first what the log shows at all, then its records.
 *
 * @param manage Whether the operator lets those who ask see properties and raise the level.
 * @param signal Ends it.
 */
export async function* tellLog(
  { services, level: asked, trace }: ControlRequest,
  { manage, signal }: { readonly manage: boolean; readonly signal: AbortSignal },
): AsyncGenerator<PlainRecord, void, void> {
  const level = LOG_LEVELS.find((known) => known === asked) ?? "info";
  if (trace !== undefined && !isTraceStart(trace)) {
    throw new TypeError("Cannot follow the trace: its id must be 6 to 32 hexadecimal digits");
  }
  const isMeant = (record: LogRecord) =>
    isWanted(record.level, level) &&
    (services === undefined || record.service !== undefined && services.includes(record.service)) &&
    (trace === undefined || record.fields?.trace?.startsWith(trace) === true);
  const shown = LOG_LEVELS.find((known) => isLogged(known)) ?? "none";
  let waiting: PlainRecord[] = [];
  let size = 0;
  let left = 0;
  let wake = () => {};
  const leaveOut = (count: number) => {
    left += count;
    wake();
  };
  const limit = new RecordLimit(MOST_RECORDS, leaveOut);
  const stopObserving = observeRecords((record) => {
    if (!isMeant(record) || !limit.admits(record.message.length)) return;
    const line = toldLine(record, manage);
    if (size + line.length > MOST_WAITING) return leaveOut(1);
    size += line.length;
    waiting.push(JSON.parse(line));
    wake();
  }, manage ? level : undefined);
  const onAbort = () => wake();
  signal.addEventListener("abort", onAbort);
  try {
    yield { shown, raised: manage };
    while (!signal.aborted) {
      if (waiting.length === 0 && left === 0) await new Promise<void>((resolve) => wake = resolve);
      await pause(GATHERING, signal);
      const records = waiting;
      const count = left;
      waiting = [];
      size = left = 0;
      yield { records, left: count };
    }
  } finally {
    signal.removeEventListener("abort", onAbort);
    stopObserving();
    limit.end();
  }
}

function toldLine({ properties, error, ...record }: LogRecord, manage: boolean): string {
  if (!manage) {
    const line = formatJsonLine(record);
    return error === undefined
      ? line
      : `${line.slice(0, -1)},"error":${JSON.stringify({ name: error.name })}}`;
  }
  const { arguments: _arguments, ...rest } = properties ?? {};
  return formatJsonLine({ ...record, properties: rest, ...(error && { error }) });
}

/** What a process tells while its log is followed. */
export interface LogNews {
  /** Id of the instance. */
  readonly instance: string;
  /** Why it tells nothing; undefined if it does. */
  readonly error?: string;
  /** Present once, when it begins. */
  readonly begins?: {
    /** Least severe level that its own log shows. */
    readonly shown: LogThreshold;
    /** Whether records of all levels come that were asked for, even if its own log does not show them. */
    readonly raised: boolean;
  };
  /** The records since the last news, the oldest first. */
  readonly records: readonly LogRecord[];
  /** Number of records that were left out before these. */
  readonly left: number;
}

/** Options of {@linkcode tailLog}. */
export interface TailOptions {
  /** Names of the services whose records count. @default {all, and those of the processes themselves} */
  readonly services?: readonly string[];
  /** Id of a trace, or its first digits, at least 6: only its records count. */
  readonly trace?: string;
  /** Least severe level. @default {"info"} */
  readonly level?: LogLevel;
  /** Aborting ends it. */
  readonly signal: AbortSignal;
}

/** Follows the log of all processes, those that come later included, until `signal` aborts. */
export async function* tailLog(
  client: ControlClient,
  { services, trace, level = "info", signal }: TailOptions,
): AsyncGenerator<LogNews, void, void> {
  const request = {
    ask: "tail",
    level,
    ...(services && { services }),
    ...(trace !== undefined && { trace }),
  };
  try {
    for await (const answer of client.ask(request, { lasting: true, signal })) yield readNews(answer);
  } catch (error) {
    if (!signal.aborted) throw error;
  }
}

function readNews({ instance, answer, error }: ControlAnswer): LogNews {
  const { shown, raised, records, left } = answer ?? {};
  const list: readonly unknown[] = Array.isArray(records) ? records : [];
  const threshold = [...LOG_LEVELS, "none" as const].find((known) => known === shown);
  return {
    instance,
    ...(error !== undefined && { error }),
    ...(threshold !== undefined && { begins: { shown: threshold, raised: raised === true } }),
    records: list.flatMap(readLine),
    left: typeof left === "number" && left > 0 && left < Infinity ? left : 0,
  };
}

/** Reads a record from its JSON line. What is no record is left out. */
function readLine(line: unknown): readonly LogRecord[] {
  if (!isRecord(line)) return [];
  const { time, level, service, message, properties, error, ...fields } = line;
  const known = LOG_LEVELS.find((each) => each === level);
  const at = typeof time === "string" ? Date.parse(time) : NaN;
  if (known === undefined || typeof message !== "string" || Number.isNaN(at)) return [];
  return [{
    level: known,
    message,
    time: at,
    ...(typeof service === "string" && { service }),
    fields: checkedFields(fields),
    ...(isRecord(properties) && { properties }),
    ...(isRecord(error) && typeof error["name"] === "string" && {
      error: {
        name: error["name"],
        message: typeof error["message"] === "string" ? error["message"] : "",
        // Without the operator's consent, nothing but the name has come.
        stack: typeof error["stack"] === "string" ? error["stack"] : error["name"],
      },
    }),
  }];
}
