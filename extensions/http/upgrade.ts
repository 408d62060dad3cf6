import { completeResponse, type OutgoingResponse } from "./response/outgoing_response.ts";
import type { RequestHandler } from "./request_handler.ts";

/** What becomes of a request for a connection. */
export type Upgrade = { readonly response: Response } | { readonly status: number; readonly reason: string };

/** Takes over connections: what speaks another protocol at a path. */
export interface UpgradeHandler {
  /** For people. */
  readonly name: string;
  /** Grants a request, with the response that takes its connection over, or refuses it. */
  upgrade(request: Request): Promise<Upgrade>;
  /** Whether it has been granted connections that have neither opened nor closed. */
  hasUnopened(): boolean;
  /** Closes the connections that it has; nobody else can. */
  close(): Promise<void>;
}

/** The handler as the router knows it. */
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
