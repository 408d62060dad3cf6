/**
 * Hands the log to Deno's exporter.
 *
 * Deno exports what a program prints with `console`, and has no other public way. The lines of the log do not go through
 * `console`, whose less severe methods print on stdout. So this file uses what stands behind `console`. It is no public
 * part of Deno: where it is not there, the log is not exported.
 */
import { formatText } from "../../runtime/log/log_line.ts";
import type { LogLevel, LogRecord } from "../../runtime/log/log.ts";
import { observeRecords } from "../../runtime/log/observe.ts";
import { maskSecrets } from "../../runtime/log/secrets.ts";

/** Deno's operation that takes a record for export. An error becomes attributes of the record. */
type Export = (
  message: string,
  level: number,
  trace: string,
  span: string,
  flags: number,
  errorName: string,
  errorMessage: string,
  errorStack: string,
) => void;

/** The levels of `console`, by which Deno sets the severity. */
const LEVELS: Readonly<Record<LogLevel, number>> = { debug: 0, info: 1, warning: 2, error: 3 };

/** Exports each record that the log shows from now on, with the trace and the span that it is of. Idempotent. */
export function exportLog(): void {
  take ??= exporter();
  if (take !== undefined) observeRecords(exportRecord);
}

let take: Export | undefined;

function exportRecord(record: LogRecord): void {
  // Deno exports what `console` prints from the process that prints it, with the trace.
  if (record.isPrinted) return;
  const { level, fields: { trace = "", span = "" } = {}, error } = record;
  const { name = "", message = "", stack = "" } = error === undefined ? {} : maskSecrets(error);
  take!(formatText(record), LEVELS[level], trace, span, SAMPLED, name, message, stack);
}

const SAMPLED = 1;

interface Internals {
  readonly core?: { readonly ops?: { readonly op_otel_log_foreign?: Export } };
}

function exporter(): Export | undefined {
  const { internal } = Deno as unknown as { readonly internal: symbol };
  return (Deno as unknown as Record<symbol, Internals | undefined>)[internal]?.core?.ops?.op_otel_log_foreign;
}
