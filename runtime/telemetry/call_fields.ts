import type { LogFields } from "../log/log_fields.ts";
import { callIdOf, spanIdOf, traceIdOf } from "./trace.ts";

/** Returns the fields that name a call in the main thread, which knows it by its `traceparent` alone. */
export function fieldsOfCall(service: string, method: string, traceparent: string | undefined): LogFields {
  if (traceparent === undefined) return { method };
  return {
    trace: traceIdOf(traceparent),
    span: spanIdOf(traceparent),
    call: callIdOf(service, method, traceparent),
    method,
  };
}
