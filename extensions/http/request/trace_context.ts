/** W3C Trace Context: which trace a request is a part of. */
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { type FlatHeaders, headerOf } from "./head.ts";

/** The header `traceparent`, unless it makes no sense. */
export function traceparentOf(headers: FlatHeaders): string | undefined {
  const traceparent = headerOf(headers, "traceparent");
  return traceparent !== undefined && TRACEPARENT.test(traceparent) ? traceparent : undefined;
}

/** Both headers of the trace as context data; `tracestate` says nothing alone. */
export function traceContext(headers: FlatHeaders): FieldTable | undefined {
  const traceparent = traceparentOf(headers);
  if (traceparent === undefined) return undefined;
  const tracestate = headerOf(headers, "tracestate");
  return {
    "nameko.traceparent": traceparent,
    ...(tracestate !== undefined && { "nameko.tracestate": tracestate }),
  };
}

/** Later versions may go on behind what is known; ids of zeros are none. */
const TRACEPARENT =
  /^(?!ff)(?!00-.{53})[\da-f]{2}-(?!0{32})[\da-f]{32}-(?!0{16})[\da-f]{16}-[\da-f]{2}(?:-.*)?$/;
