import { completeResponse, type OutgoingResponse } from "./response/outgoing_response.ts";
import type { RequestHandler } from "./request_handler.ts";

/** The answer to a request for a connection: a response that takes the connection over, or a refusal. */
export type Upgrade = { readonly response: Response } | { readonly status: number; readonly reason: string };

/** Takes over the connections at a path, and speaks another protocol there. */
export interface UpgradeHandler {
  /** Name that messages show. */
  readonly name: string;
  /** Grants a request with the response that takes its connection over, or refuses the request. */
  upgrade(request: Request): Promise<Upgrade>;
  /** Whether the handler has granted a connection that has neither opened nor closed yet. */
  hasUnopened(): boolean;
  /** Closes the connections of the handler. Nothing else can close them. */
  close(): Promise<void>;
}

/** Turns an upgrade handler into a request handler, as the router needs it. */
export function upgradeRoute(handler: UpgradeHandler): RequestHandler {
  const { name } = handler;
  return {
    name,
    service: name,
    owner: handler,
    handle: async ({ request }) => toOutgoing(await handler.upgrade(request)),
  };
}

function toOutgoing(upgrade: Upgrade): OutgoingResponse {
  if ("response" in upgrade) {
    return { ...completeResponse({ status: 101, headers: [] }, undefined), upgraded: upgrade.response };
  }
  const headers = ["content-type", "text/plain; charset=utf-8"];
  return completeResponse({ status: upgrade.status, headers }, `${upgrade.reason}\n`);
}
