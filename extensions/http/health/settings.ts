import type { Section, SettingTable } from "../../../runtime/config/section.ts";
import { type ListenAddress, parseListenAddress } from "../listening/listen_address.ts";

/** Where a process answers about itself, beside what it serves. */
export interface HealthSettings {
  /** Path of the page with the numbers at the server of all services; undefined if there is none. */
  readonly metrics: string | undefined;
  /** The server that answers nothing else; undefined if there is none. */
  readonly apart: {
    readonly address: ListenAddress;
    /** Path of the page with the numbers there; undefined if there is none. */
    readonly metrics: string | undefined;
  } | undefined;
}

const PATH = /^\/[\w.~/-]+$/;

const DEFAULT_PATH = "/metrics";

/**
 * Reads `METRICS`, which is true, false or a path, and `HEALTH_ADDRESS`.
 *
 * @throws {ConfigurationError} If a key has a value that it does not take.
 */
export function healthSettings(at: Section): HealthSettings {
  const value = at.get("METRICS");
  const path = typeof value === "string"
    ? at.text("METRICS", PATH, "true, false or a path such as /metrics")
    : value === undefined || typeof value === "boolean"
    ? DEFAULT_PATH
    : at.refuse("METRICS", "true, false or a path such as /metrics");
  const port = at.get("HEALTH_ADDRESS");
  const address = typeof port === "number" ? String(port) : at.text("HEALTH_ADDRESS");
  return {
    metrics: value === undefined || value === false ? undefined : path,
    apart: address === undefined ? undefined : {
      address: parseListenAddress(address, "HEALTH_ADDRESS"),
      metrics: value === false ? undefined : path,
    },
  };
}

/** The settings that this file reads. */
export const HEALTH_SETTINGS: SettingTable = {
  METRICS: {
    kind: "text",
    default: false,
    about: "whether numbers are served for Prometheus, and at which path",
  },
  HEALTH_ADDRESS: { kind: "text", about: "an address that answers health and numbers alone" },
};
