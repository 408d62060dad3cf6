import { plainSize } from "../channel/plain_size.ts";
import { checkedFields } from "../log/log_fields.ts";
import { LOG_LEVELS, type LogRecord } from "../log/log.ts";
import type { LoggedError } from "../log/plain_properties.ts";
import { DEFAULT_LOG_LIMIT, LARGEST_RECORD, leftOutText, RecordLimit } from "../log/record_limit.ts";
import { isRecord } from "../message/plain.ts";

/** The longest time from the epoch that a date can have, in milliseconds. */
const LATEST = 8.64e15;

/**
 * The log of one thread in the main thread.
 *
 * The main thread itself says of which service and of which thread a record is: service code can write any
 * name into a record that it posts.
 */
export class ThreadLog {
  readonly #emit: (record: LogRecord) => void;
  readonly #limit = new RecordLimit(DEFAULT_LOG_LIMIT, (count) => this.#tellLeftOut(count));
  #thread: string;
  #service: string | undefined;

  constructor(thread: string, emit: (record: LogRecord) => void) {
    this.#thread = thread;
    this.#emit = emit;
  }

  /** Sets what the thread is called from now on, its service, and its records in a second. */
  serve(thread: string, service: string, most: number): void {
    this.#thread = thread;
    this.#service = service;
    this.#limit.most = most;
  }

  /** Takes a record that the thread has posted. Returns false if the record is out of form. */
  take(record: unknown): boolean {
    const size = plainSize(record, LARGEST_RECORD);
    if (Number.isNaN(size) || !isLogRecord(record)) return false;
    if (!this.#limit.admits(size)) return true;
    const { level, message, time, fields, properties, error } = record;
    this.#emit({
      level,
      message,
      ...(this.#service !== undefined && { service: this.#service }),
      thread: this.#thread,
      ...(time !== undefined && { time }),
      ...(fields !== undefined && { fields: checkedFields({ ...fields }) }),
      ...(properties !== undefined && { properties }),
      ...(error !== undefined && { error }),
    });
    return true;
  }

  /** Tells what was left out. */
  end(): void {
    this.#limit.end();
  }

  #tellLeftOut(count: number): void {
    this.#emit({
      level: "warning",
      message: leftOutText(count, `thread "${this.#thread}"`),
      ...(this.#service !== undefined && { service: this.#service }),
      thread: this.#thread,
    });
  }
}

function isLogRecord(record: unknown): record is LogRecord {
  if (!isRecord(record)) return false;
  const { level, message, time, fields, properties, error } = record;
  return (LOG_LEVELS as readonly unknown[]).includes(level) && typeof message === "string" &&
    (time === undefined || typeof time === "number" && Math.abs(time) <= LATEST) &&
    (fields === undefined || isRecord(fields)) && (properties === undefined || isRecord(properties)) &&
    (error === undefined || isLoggedError(error));
}

function isLoggedError(error: unknown): error is LoggedError {
  return isRecord(error) && typeof error["name"] === "string" && typeof error["message"] === "string" &&
    (error["stack"] === undefined || typeof error["stack"] === "string");
}
