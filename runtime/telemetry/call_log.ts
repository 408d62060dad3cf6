import { fieldsOfCall } from "./call_fields.ts";
import { emitRecord, logThreshold } from "../log/observe.ts";
import { spanIdOf } from "./trace.ts";
import type { CallRecord } from "./call_record.ts";
import type { Telemetry } from "./telemetry.ts";

/**
 * Makes a line of the log of each call that ends: at level debug, if somebody reads that level.
 *
 * @param always Whether the lines are at level info, which most logs show.
 */
export function logCalls(telemetry: Telemetry, always: boolean): void {
  telemetry.addSink(
    (call) => logCall(call, always ? "info" : "debug"),
    (service) => always || logThreshold(service) === "debug",
  );
}

function logCall(
  { service, method, kind, traceparent, parent, at, took, waited, thread, outcome, error }: CallRecord,
  level: "info" | "debug",
): void {
  const ms = rounded(took);
  const waiting = rounded(waited);
  const how = error === undefined ? outcome : `${outcome}: ${error}`;
  const place = thread === undefined ? "" : `, in ${thread}`;
  emitRecord({
    level,
    message: `${kind} ${service}.${method} ${how}, ${ms} ms with ${waiting} ms of waiting${place}`,
    service,
    time: at + took,
    fields: {
      ...fieldsOfCall(service, method, traceparent),
      parentSpan: parent === undefined ? undefined : spanIdOf(parent),
      kind,
      outcome,
      thread,
      ms,
      waiting,
    },
  });
}

function rounded(milliseconds: number): number {
  return Math.round(milliseconds * 100) / 100;
}
