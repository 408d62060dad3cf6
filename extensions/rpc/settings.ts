import type { Section, SettingTable } from "../../runtime/config/section.ts";

/** Settings of RPC. */
export interface RpcSettings {
  /** Name of the exchange that requests and replies go through. */
  readonly exchange: string;
  /** Whether a request leaves its queue when its caller gives up. */
  readonly expires: boolean;
  /** Whether the broker keeps requests on its disk whose clients do not say. */
  readonly persistent: boolean;
}

/** Nameko's name of the exchange. */
export const DEFAULT_EXCHANGE = "nameko-rpc";

/**
 * Reads `rpc_exchange`, `rpc_expiration`, and `RPC_DELIVERY`.
 *
 * A Nameko service with nameko-amqp-retry 0.7 dies when it is to retry a request that has an expiration.
 */
export function rpcSettings(at: Section): RpcSettings {
  return {
    exchange: at.text("rpc_exchange") ?? DEFAULT_EXCHANGE,
    expires: at.flag("rpc_expiration") ?? true,
    persistent:
      at.text("RPC_DELIVERY", /^(?:persistent|transient)$/, "persistent or transient") !== "transient",
  };
}

/** The settings that this file reads. */
export const RPC_SETTINGS: SettingTable = {
  rpc_exchange: { kind: "text", default: "nameko-rpc", about: "exchange of requests and replies" },
  rpc_expiration: {
    kind: "flag",
    default: true,
    about: "whether a request leaves its queue when its caller gives up",
  },
  RPC_DELIVERY: {
    kind: "text",
    default: "persistent",
    about: "whether a restart of the broker may lose calls in flight: persistent or transient",
  },
};
