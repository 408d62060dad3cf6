import type { Section } from "../../runtime/config/section.ts";

/** Settings of RPC. */
export interface RpcSettings {
  /** Name of the exchange that requests and replies go through. */
  readonly exchange: string;
}

/** Nameko's name of the exchange. */
export const DEFAULT_EXCHANGE = "nameko-rpc";

/** Reads `rpc_exchange`. */
export function rpcSettings(at: Section): RpcSettings {
  return { exchange: at.text("rpc_exchange") ?? DEFAULT_EXCHANGE };
}
