/** All settings that a process can have, as their owners declare them beside the code that reads them. */
import type { SettingTable } from "../runtime/config/section.ts";
import { RUNTIME_SETTINGS } from "../runtime/serving/settings.ts";

/** The settings of one owner. */
export interface OwnedSettings {
  /** Name of the owner, such as `amqp`. */
  readonly owner: string;
  readonly table: SettingTable;
}

/** Folders of the optional extensions that have settings, and the names of their tables. */
const OPTIONAL: Readonly<Record<string, string>> = {
  bayeux: "BAYEUX_SETTINGS",
  cache: "CACHE_SETTINGS",
  redis: "REDIS_SETTINGS",
  sql: "SQL_SETTINGS",
};

/** Lists the settings by owner, in the order of the alphabet. A binary has those of the extensions inside it. */
export async function knownSettings(): Promise<readonly OwnedSettings[]> {
  const [start, amqp, control, events, health, http, rpc, sentry, statsd, stream, websocket] = await Promise
    .all([
      import("./settings.ts"),
      import("./amqp/settings.ts"),
      import("./control/settings.ts"),
      import("./events/settings.ts"),
      import("./http/health/settings.ts"),
      import("./http/settings.ts"),
      import("./rpc/settings.ts"),
      import("./sentry/settings.ts"),
      import("./metrics/statsd/settings.ts"),
      import("./stream/settings.ts"),
      import("./websocket/settings.ts"),
    ]);
  const optional = await Promise.all(
    Object.entries(OPTIONAL).map(async ([owner, name]) => ({
      owner,
      table: await optionalTable(owner, name),
    })),
  );
  const all: OwnedSettings[] = [
    { owner: "runtime", table: { ...RUNTIME_SETTINGS, ...start.START_SETTINGS } },
    { owner: "amqp", table: amqp.AMQP_SETTINGS },
    { owner: "control", table: control.CONTROL_SETTINGS },
    { owner: "events", table: events.EVENT_SETTINGS },
    { owner: "http", table: { ...http.HTTP_SETTINGS, ...health.HEALTH_SETTINGS } },
    { owner: "metrics", table: statsd.STATSD_SETTINGS },
    { owner: "rpc", table: rpc.RPC_SETTINGS },
    { owner: "sentry", table: sentry.SENTRY_SETTINGS },
    { owner: "stream", table: stream.STREAM_SETTINGS },
    { owner: "websocket", table: websocket.WEBSOCKET_SETTINGS },
    ...optional,
  ];
  return all.sort((one, other) => one.owner < other.owner ? -1 : 1);
}

/** Loads the table of an optional extension. A literal would take the extension into each binary. */
async function optionalTable(folder: string, name: string): Promise<SettingTable> {
  try {
    const module: Readonly<Record<string, SettingTable>> = await import(
      import.meta.resolve(`./${folder}/settings.ts`)
    );
    return module[name] ?? {};
  } catch (error) {
    // A binary has only the extensions that were compiled into it.
    if (!Deno.build.standalone) throw error;
    return {};
  }
}
