/** Translates between the spans of OpenTelemetry and the `traceparent` that travels with calls. */
import { maskSecrets } from "../../log/secrets.ts";
import { spanIdOf, traceIdOf } from "../trace.ts";
import { type Context, ROOT_CONTEXT, type Span, SpanStatusCode, trace } from "./api.ts";

/** Name of the instrumentation that the spans are of. */
export const TRACER_NAME = "enoki";

/** Makes the context in which a span is the current one; without a span, a context without any. */
export function contextOf(traceparent: string | undefined): Context {
  if (traceparent === undefined) return ROOT_CONTEXT;
  return trace.setSpanContext(ROOT_CONTEXT, {
    traceId: traceIdOf(traceparent),
    spanId: spanIdOf(traceparent),
    traceFlags: parseInt(traceparent.slice(53, 55), 16),
    isRemote: true,
  });
}

/** Returns the `traceparent` of a span. */
export function nameOf(span: Span): string {
  const { traceId, spanId, traceFlags } = span.spanContext();
  return `00-${traceId}-${spanId}-${(traceFlags & 0xff).toString(16).padStart(2, "0")}`;
}

/** Marks a span as failed. Messages of errors lose the secrets that the log would mask. */
export function markFailed(span: Span, error: string, message: string): void {
  span.setAttribute("error.type", error);
  span.setStatus({ code: SpanStatusCode.ERROR, message: maskSecrets(message) });
}
