import { describePermissions } from "../flags/permission_flags.ts";
import type { Running } from "../../serve.ts";
import { entrypointRows } from "./service_listing.ts";

/** What a process tells of its services when they answer calls. It is plain data, so that another process can show it. */
export interface ReadyReport {
  readonly services: readonly {
    readonly name: string;
    /** The rows of its listing. */
    readonly rows: readonly (readonly string[])[];
  }[];
  readonly broker: string;
  /** URL of the HTTP server; absent if there is none. */
  readonly http?: string;
  readonly streams: readonly string[];
}

/** Makes the report of services that run. */
export function readyReport({ containers, transport: { broker }, http, streams }: Running): ReadyReport {
  const services = [...containers.values()].map(({ manifest, pool, place: { isolation }, settings }) => {
    const { maxWorkers, concurrency, permissions } = settings;
    const each = concurrency > 1 ? `, ${concurrency} calls each` : "";
    const own = isolation === "process" ? ", in a process of its own" : "";
    const sandbox = permissions === "all"
      ? `with all permissions${own}`
      : `sandboxed: ${describePermissions(permissions)}${own || ", without a process of its own"}`;
    const entrypoints = entrypointRows(manifest).map(([kind = "", ...rest]) => [kind, rest.join("  ")]);
    return {
      name: manifest.name,
      rows: [
        ...(entrypoints.length > 0 ? entrypoints : [["no entrypoints"]]),
        ["threads", `${pool.size} of up to ${maxWorkers}${each}, ${sandbox}`],
      ],
    };
  });
  return { services, broker, ...(http !== undefined && { http }), streams };
}
