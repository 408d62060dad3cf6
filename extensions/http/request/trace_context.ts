/** W3C Trace Context: the headers that say which trace a request is a part of. */
import { isTraceparent } from "../../../runtime/telemetry/trace.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { type FlatHeaders, headerOf } from "./head.ts";

/** Returns the header `traceparent`; undefined if it is missing or makes no sense. */
export function traceparentOf(headers: FlatHeaders): string | undefined {
  const traceparent = headerOf(headers, "traceparent");
  return isTraceparent(traceparent) ? traceparent : undefined;
}

/**
 * Returns both headers of the trace as context data; undefined without a valid `traceparent`, since
 * `tracestate` says nothing alone.
 */
export function traceContext(headers: FlatHeaders): FieldTable | undefined {
  const traceparent = traceparentOf(headers);
  if (traceparent === undefined) return undefined;
  const tracestate = headerOf(headers, "tracestate");
  return {
    "nameko.traceparent": traceparent,
    ...(tracestate !== undefined && { "nameko.tracestate": tracestate }),
  };
}
