import type { FlatHeaders } from "./request/head.ts";
import type { OutgoingResponse } from "./response/outgoing_response.ts";
import type { Params } from "./routing/router.ts";

/** A request on its way to a service. */
export interface IncomingRequest {
  readonly request: Request;
  /** With the request's id, its own or one made for it. */
  readonly headers: FlatHeaders;
  readonly id: string;
}

/** Where a rule leads to. */
export interface RequestHandler {
  /** Such as `orders.show`, for people. */
  readonly name: string;
  readonly service: string;
  /** Whose rule it is: a newer owner's rules replace those of an older one of the same service. */
  readonly owner: unknown;
  /** Never rejects. */
  handle(incoming: IncomingRequest, params: Params): Promise<OutgoingResponse>;
}
