/** The spans of the calls of a process, in its main thread. */
import type { Outcome } from "../../runtime/message/outcome.ts";
import type { PlainRecord } from "../../runtime/message/plain.ts";
import { type Attributes, type Span, SpanKind, trace } from "../../runtime/telemetry/otel/api.ts";
import { contextOf, markFailed, nameOf, TRACER_NAME } from "../../runtime/telemetry/otel/span_context.ts";
import type { CallEntry } from "../../runtime/telemetry/recent_calls.ts";
import type { Tracer } from "../../runtime/telemetry/telemetry.ts";
import { childOf, spanIdOf } from "../../runtime/telemetry/trace.ts";

/** What all spans of one entrypoint have in common. */
interface SpanShape {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
  /** The rule that an HTTP request has to fit. */
  readonly route: string | undefined;
  /** Name of the span of such a request. */
  readonly requestName: string;
}

/**
 * Gives each call a span of OpenTelemetry.
 *
 * Invariant: `#open` holds a span from the beginning of its call to the call's outcome, and each call gets one.
 */
export class CallSpans implements Tracer {
  readonly #tracer = trace.getTracer(TRACER_NAME);
  readonly #shapes = new WeakMap<CallEntry, SpanShape>();
  readonly #open = new Map<string, Span>();

  begin(entry: CallEntry, parent: string | undefined, options: PlainRecord): string {
    let shape = this.#shapes.get(entry);
    if (shape === undefined) this.#shapes.set(entry, shape = shapeOf(entry, options));
    if (shape.route !== undefined) nameRequest(shape, parent);
    const span = this.#tracer.startSpan(shape.name, shape, contextOf(parent));
    const traceparent = nameOf(span);
    this.#open.set(traceparent, span);
    return traceparent;
  }

  end(traceparent: string, outcome: Outcome): void {
    const span = this.#open.get(traceparent);
    if (span === undefined) return;
    this.#open.delete(traceparent);
    // Nobody ran the call. It begins anew, here or elsewhere, and this span is never exported.
    if (outcome.status === "unstarted") return;
    const fault = outcome.status === "failed" ? outcome : outcome.fault;
    if (fault !== undefined) {
      const { name, message } = outcome.status === "failed"
        ? outcome.failure
        : { name: outcome.fault!.name, message: outcome.fault!.name };
      if (fault.expected) span.setAttribute("error.type", name);
      else markFailed(span, name, message);
    }
    span.end();
  }

  /** Takes Deno's own span of the request, which the client's span is the parent of. */
  request(given: string | undefined): string {
    const span = trace.getActiveSpan();
    return span === undefined ? childOf(given) : nameOf(span);
  }
}

/** Names Deno's span of the request after the route, which nobody knew when the span began. */
function nameRequest({ route, requestName }: SpanShape, parent: string | undefined): void {
  const request = trace.getActiveSpan();
  if (request === undefined || parent === undefined) return;
  if (request.spanContext().spanId !== spanIdOf(parent)) return;
  request.setAttribute("http.route", route!);
  request.updateName(requestName);
}

function shapeOf({ service, method, kind }: CallEntry, options: PlainRecord): SpanShape {
  const attributes: Attributes = { "enoki.service": service, "enoki.method": method, "enoki.kind": kind };
  const shape = {
    name: `${service}.${method}`,
    kind: SpanKind.SERVER,
    attributes,
    route: undefined,
    requestName: "",
  };
  switch (kind) {
    case "rpc":
      // Each attribute costs a call its time, and these say the same.
      return {
        ...shape,
        name: `${service}/${method}`,
        attributes: { "rpc.system": "nameko", "rpc.service": service, "rpc.method": method },
      };
    case "http": {
      const { rule, methods } = options;
      const route = String(rule);
      const only = Array.isArray(methods) && methods.length === 1 ? `${methods[0]} ` : "";
      return { ...shape, route, requestName: only + route };
    }
    case "event": {
      const { source, type } = options;
      return { ...shape, ...received(attributes, `${source}.events`, String(type)) };
    }
    case "consume":
      return { ...shape, ...received(attributes, String(options.queue)) };
    case "timer":
    case "cron":
      return { ...shape, kind: SpanKind.INTERNAL };
    default:
      return shape;
  }
}

function received(
  attributes: Attributes,
  destination: string,
  routingKey?: string,
): Pick<SpanShape, "name" | "kind"> {
  Object.assign(attributes, {
    "messaging.system": "rabbitmq",
    "messaging.operation.name": "process",
    "messaging.operation.type": "process",
    "messaging.destination.name": destination,
    ...(routingKey !== undefined && { "messaging.rabbitmq.destination.routing_key": routingKey }),
  });
  return { name: `process ${destination}`, kind: SpanKind.CONSUMER };
}
