/** The spans of handlers: the current span while a handler runs, and the spans of what it sends. */
import type { RemoteError } from "../../message/errors.ts";
import { describeFailure } from "../../message/failure.ts";
import type { Outgoing, OutgoingHook } from "../../service/hook.ts";
import type { FieldTable } from "../../message/transport.ts";
import { isTraceparent, stateOf, TRACEPARENT_KEY, TRACESTATE_KEY } from "../trace.ts";
import { type Attributes, type Context, context, type Span, SpanKind, trace } from "./api.ts";
import { contextOf, markFailed, nameOf, TRACER_NAME } from "./span_context.ts";

/**
 * Runs `run` in the span of a call, so that everything that `run` begins is a part of that span.
 *
 * @param traceparent Names the span; undefined if the call has none.
 */
export function runWithin<Result>(traceparent: string | undefined, run: () => Result): Result {
  return context.with(contextOf(traceparent), run);
}

/**
 * Makes the hook that gives each call, event and message a span of its own, whose name travels with it.
 *
 * The parent is the current span. Where the code that sends has none, it is the span of the call that the context data
 * names.
 *
 * @param source Name of the service whose handlers send. @default {the source of each event is unknown}
 */
export function outgoingSpans(source?: string): OutgoingHook {
  const tracer = trace.getTracer(TRACER_NAME);
  return async (outgoing, next) => {
    const { name, kind, attributes } = shapeOf(outgoing, source);
    const parent = parentOf(outgoing);
    const span = tracer.startSpan(name, { kind, attributes }, parent);
    try {
      return await context.with(trace.setSpan(parent, span), next, undefined, linksOf(outgoing, span));
    } catch (error) {
      const { name, message } = describeFailure(error);
      // The class of a remote error is what the other service has thrown.
      markFailed(span, (error as Partial<RemoteError> | null)?.remoteName ?? name, message);
      throw error;
    } finally {
      span.end();
    }
  };
}

/** What goes along with the message: its span and, for the records of calls, the call behind that span. */
function linksOf({ headers }: Outgoing, span: Span): FieldTable {
  const sent = nameOf(span);
  const call = headers[TRACEPARENT_KEY];
  if (!isTraceparent(call)) return { [TRACEPARENT_KEY]: sent };
  return { [TRACEPARENT_KEY]: sent, [TRACESTATE_KEY]: stateOf(call, sent, headers[TRACESTATE_KEY]) };
}

function parentOf({ headers }: Outgoing): Context {
  const active = context.active();
  if (trace.getSpanContext(active) !== undefined) return active;
  const named = headers[TRACEPARENT_KEY];
  return contextOf(isTraceparent(named) ? named : undefined);
}

interface SpanShape {
  readonly name: string;
  readonly kind: SpanKind;
  readonly attributes: Attributes;
}

function shapeOf(outgoing: Outgoing, source: string | undefined): SpanShape {
  switch (outgoing.kind) {
    case "rpc": {
      const { service, method } = outgoing;
      return {
        name: `${service}/${method}`,
        kind: SpanKind.CLIENT,
        attributes: { "rpc.system": "nameko", "rpc.service": service, "rpc.method": method },
      };
    }
    case "event":
      return sent(source === undefined ? "" : `${source}.events`, outgoing.type);
    case "message":
      return sent(outgoing.exchange, outgoing.routingKey);
  }
}

/** The default exchange has no name: there, the routing key names the queue. */
function sent(exchange: string, routingKey: string): SpanShape {
  const destination = exchange === "" ? routingKey : exchange;
  return {
    name: `send ${destination}`,
    kind: SpanKind.PRODUCER,
    attributes: {
      "messaging.system": "rabbitmq",
      "messaging.operation.name": "send",
      "messaging.operation.type": "send",
      "messaging.destination.name": destination,
      "messaging.rabbitmq.destination.routing_key": routingKey,
    },
  };
}
