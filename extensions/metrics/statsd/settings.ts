import { isRecord } from "../../../runtime/message/plain.ts";
import type { Section, SettingTable } from "../../../runtime/config/section.ts";

/** A StatsD server that gets the numbers of the process. */
export interface StatsdSettings {
  readonly host: string;
  readonly port: number;
  /** Text before each name; a dot follows it. */
  readonly prefix: string | undefined;
  readonly protocol: "udp" | "tcp";
  /** Whether the host is looked up for IPv6. */
  readonly ipv6: boolean;
  /** Bytes that a datagram has at most. */
  readonly maxDatagram: number;
  /** Milliseconds between two reports. */
  readonly interval: number;
  /** Whether labels are tags, as Datadog, Telegraf and others read them, in place of parts of the name. */
  readonly tags: boolean;
}

const MAX_PORT = 65_535;

/** Bytes of the smallest datagram that has room for a name and a number. */
const LEAST_DATAGRAM = 256;

/** Milliseconds of the shortest interval. */
const LEAST_INTERVAL = 100;

const DEFAULT_INTERVAL = 10_000;

/**
 * Reads `STATSD`: one server, or servers by name as `nameko-statsd` has them. Those that are not `enabled` are left out.
 *
 * @throws {ConfigurationError} If a key has a value that it does not take.
 */
export function statsdSettings(at: Section): readonly StatsdSettings[] {
  const own = at.section("STATSD");
  if (own === undefined) return [];
  const names = Object.keys(own.values);
  const hasNames = names.length > 0 && names.every((name) => isRecord(own.values[name]));
  const servers = hasNames ? names.map((name) => own.section(name)!) : [own];
  return servers.map(readServer).filter((server) => server !== undefined);
}

function readServer(at: Section): StatsdSettings | undefined {
  const enabled = at.flag("enabled") ?? true;
  const port = at.integer("port", 1) ?? 8125;
  if (port > MAX_PORT) at.refuse("port", `a port, up to ${MAX_PORT}`);
  const interval = at.milliseconds("interval", LEAST_INTERVAL) ?? DEFAULT_INTERVAL;
  const protocol = at.text("protocol", /^(?:udp|tcp)$/i, "udp or tcp")?.toLowerCase();
  const settings: StatsdSettings = {
    host: at.text("host") ?? "localhost",
    port,
    prefix: at.text("prefix"),
    protocol: protocol === "tcp" ? "tcp" : "udp",
    ipv6: at.flag("ipv6") ?? false,
    maxDatagram: at.integer("maxudpsize", LEAST_DATAGRAM) ?? 512,
    interval,
    tags: at.flag("tags") ?? false,
  };
  at.refuseOthers();
  return enabled ? settings : undefined;
}

/** The settings that this file reads. Servers may also have names: `STATSD.NAME.host`. */
export const STATSD_SETTINGS: SettingTable = {
  STATSD: { kind: "mapping", about: "a StatsD server, or servers by name, that get the numbers" },
  "STATSD.enabled": { kind: "flag", default: true, about: "whether it gets them" },
  "STATSD.host": { kind: "text", default: "localhost", about: "its host" },
  "STATSD.port": { kind: "number", default: 8_125, about: "its port" },
  "STATSD.prefix": { kind: "text", about: "text before each name" },
  "STATSD.protocol": { kind: "text", default: "udp", about: "udp or tcp" },
  "STATSD.ipv6": { kind: "flag", default: false, about: "whether the host is looked up for IPv6" },
  "STATSD.maxudpsize": { kind: "number", default: 512, about: "bytes of a datagram" },
  "STATSD.interval": { kind: "duration", default: "10s", about: "time between two reports" },
  "STATSD.tags": { kind: "flag", default: false, about: "whether labels are tags" },
};
