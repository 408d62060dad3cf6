/** Says whether OpenTelemetry is on. It loads nothing, so that a process without OpenTelemetry pays nothing. */

/** Where all copies of OpenTelemetry's API find who takes their spans. Deno sets it if `OTEL_DENO` is true. */
const TAKERS = Symbol.for("opentelemetry.js.api.1");

/** Says whether somebody takes the spans of this thread: Deno itself, or an SDK that the program has installed. */
export function takesSpans(): boolean {
  const takers = (globalThis as { readonly [TAKERS]?: { readonly trace?: unknown } })[TAKERS];
  return takers?.trace !== undefined;
}
