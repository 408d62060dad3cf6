/** Says whether OpenTelemetry is on. It loads nothing, so that a process without OpenTelemetry pays nothing. */

/** Where all copies of OpenTelemetry's API find who takes what they give. Deno sets it if `OTEL_DENO` is true. */
const TAKERS = Symbol.for("opentelemetry.js.api.1");

/** Says whether somebody takes the spans of this thread: Deno itself, or an SDK that the program has installed. */
export function takesSpans(): boolean {
  return takes("trace");
}

/** Says whether somebody takes the numbers of this process, as with spans. */
export function takesMetrics(): boolean {
  return takes("metrics");
}

function takes(what: "trace" | "metrics"): boolean {
  const takers = (globalThis as { readonly [TAKERS]?: { readonly [What in typeof what]?: unknown } })[TAKERS];
  return takers?.[what] !== undefined;
}
