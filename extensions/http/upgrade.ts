import { completeResponse, type OutgoingResponse } from "./outgoing_response.ts";
import type { RequestHandler } from "./server.ts";

/** Takes over connections: what speaks another protocol at a path. */
export interface UpgradeHandler {
  /** For people. */
  readonly name: string;
  /** Grants a request, with the response that takes its connection over, or refuses it. */
  upgrade(request: Request): { readonly response: Response } | {
    readonly status: number;
    readonly reason: string;
  };
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
    handle: ({ request }) => Promise.resolve(toOutgoing(handler.upgrade(request))),
  };
}

function toOutgoing(upgrade: ReturnType<UpgradeHandler["upgrade"]>): OutgoingResponse {
  if ("response" in upgrade) {
    return { ...completeResponse({ status: 101, headers: [] }, undefined), upgraded: upgrade.response };
  }
  const headers = ["content-type", "text/plain; charset=utf-8"];
  return completeResponse({ status: upgrade.status, headers }, `${upgrade.reason}\n`);
}
