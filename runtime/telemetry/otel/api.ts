/**
 * OpenTelemetry's API, which this file alone imports. Import this file only where OpenTelemetry is on.
 *
 * Deno itself is the SDK: it records what goes through the API, of all threads, and exports it.
 */
export {
  type Attributes,
  type Context,
  context,
  metrics,
  ROOT_CONTEXT,
  type Span,
  SpanKind,
  SpanStatusCode,
  trace,
  type Tracer,
} from "npm:@opentelemetry/api@1.10.0";
