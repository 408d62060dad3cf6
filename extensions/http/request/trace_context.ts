/** W3C Trace Context: the headers that say which trace a request is a part of. */
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { type FlatHeaders, headerOf } from "./head.ts";

/** Returns the header `traceparent`; undefined if it is missing or makes no sense. */
export function traceparentOf(headers: FlatHeaders): string | undefined {
  const traceparent = headerOf(headers, "traceparent");
  return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined;
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

/** Later versions of the format may have more fields at the end. An id that is all zeros is not valid. */
const TRACEPARENT =
  /^(?!ff)(?!00-.{53})[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-.*)?$/;
