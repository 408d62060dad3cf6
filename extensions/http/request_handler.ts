import type { RequestSpan } from "../../runtime/telemetry/telemetry.ts";
import type { FlatHeaders } from "./request/head.ts";
import type { OutgoingResponse } from "./response/outgoing_response.ts";
import type { Params } from "./routing/router.ts";

/** A request on its way to a service. */
export interface IncomingRequest {
  readonly request: Request;
  readonly method: string;
  readonly url: string;
  /** Headers that include `x-request-id` if the request has an id. */
  readonly headers: FlatHeaders;
  /** The client's own id, or one that the server made; undefined if nobody has needed one so far. */
  readonly id: string | undefined;
  /** Time at which the request came, as `performance.now()` gives it. */
  readonly at: number;
  /** The `traceparent` that the client sent, if it makes sense. */
  readonly traceparent: string | undefined;
  /** Names the request as a span of its trace, or names the span that led to it. */
  readonly trace: RequestSpan;
}

/** The target of a rule. */
export interface RequestHandler {
  /** Name that messages show, such as `orders.show`. */
  readonly name: string;
  readonly service: string;
  /** Owner of the rule. The rules of a newer owner replace those of an older owner of the same service. */
  readonly owner: unknown;
  /** Whether the handler refuses all requests, until its service starts again. @default {false} */
  readonly isPaused?: boolean;
  /** Answers a request. If this fails, the server logs why and answers 500. */
  handle(incoming: IncomingRequest, params: Params): OutgoingResponse | Promise<OutgoingResponse>;
}
