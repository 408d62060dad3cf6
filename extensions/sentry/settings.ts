import { isRecord } from "../../runtime/message/plain.ts";
import type { Section, SettingTable } from "../../runtime/config/section.ts";
import { type Dsn, parseDsn } from "./dsn.ts";

/** Which failures of calls Sentry gets, and where it is. */
export interface SentrySettings {
  readonly dsn: Dsn;
  readonly environment: string | undefined;
  readonly release: string | undefined;
  /** Name of the machine or of the instance. */
  readonly serverName: string | undefined;
  /** Tags of each event. */
  readonly tags: Readonly<Record<string, string>>;
  /** Share of the failures that are reported, from 0 to 1. */
  readonly sampleRate: number;
  /** Whether errors that an entrypoint expects are reported, too, as warnings. */
  readonly reportsExpected: boolean;
  /** Keys of the context data that tell of the user. */
  readonly userKeys: readonly RegExp[];
  /** Keys of the context data that become tags. */
  readonly tagKeys: readonly RegExp[];
  /** Names of keys that only Python's client knows. */
  readonly ignored: readonly string[];
}

/** The defaults of nameko-sentry. */
const USER_KEYS = ["user|email|session"];
const TAG_KEYS = ["call_id$"];

/**
 * Reads `SENTRY` as nameko-sentry has it.
 *
 * @returns Undefined if there is no DSN, which turns the reports off.
 * @throws {ConfigurationError} If a key has a value that it does not take. The message never has the DSN.
 */
export function sentrySettings(at: Section): SentrySettings | undefined {
  const own = at.section("SENTRY");
  if (own === undefined) return undefined;
  const text = own.get("DSN");
  const dsn = typeof text === "string" ? parseDsn(text) : undefined;
  if (dsn === undefined && text !== undefined && text !== "") {
    own.refuse("DSN", "a DSN, as Sentry shows it for a project");
  }
  const client = own.section("CLIENT_CONFIG");
  const settings = {
    environment: client?.text("environment"),
    release: client?.text("release"),
    serverName: client?.text("name"),
    tags: client === undefined ? {} : tagsOf(client),
    sampleRate: client === undefined ? 1 : sampleRateOf(client),
    reportsExpected: own.flag("REPORT_EXPECTED_EXCEPTIONS") ?? true,
    userKeys: patterns(own, "USER_TYPE_CONTEXT_KEYS", USER_KEYS),
    tagKeys: patterns(own, "TAG_TYPE_CONTEXT_KEYS", TAG_KEYS),
    ignored: client?.others ?? [],
  };
  own.refuseOthers();
  return dsn === undefined ? undefined : { dsn, ...settings };
}

function tagsOf(client: Section): Readonly<Record<string, string>> {
  const given = client.get("tags") ?? {};
  if (!isRecord(given)) return client.refuse("tags", "a mapping");
  const site = client.text("site");
  const tags = Object.entries(given).map(([name, value]) => [name, String(value)] as const);
  return { ...Object.fromEntries(tags), ...(site !== undefined && { site }) };
}

function sampleRateOf(client: Section): number {
  const rate = client.get("sample_rate") ?? 1;
  if (typeof rate === "number" && rate >= 0 && rate <= 1) return rate;
  return client.refuse("sample_rate", "a number from 0 to 1");
}

function patterns(at: Section, key: string, otherwise: readonly string[]): readonly RegExp[] {
  try {
    return (at.texts(key) ?? otherwise).map((pattern) => new RegExp(pattern));
  } catch (error) {
    if (!(error instanceof SyntaxError)) throw error;
    return at.refuse(key, "a list of regular expressions");
  }
}

/** The settings that this file reads. */
export const SENTRY_SETTINGS: SettingTable = {
  SENTRY: { kind: "mapping", about: "where failures are reported to" },
  "SENTRY.DSN": { kind: "text", about: "the project, as Sentry shows it" },
  "SENTRY.CLIENT_CONFIG": { kind: "mapping", about: "options of the client" },
  "SENTRY.CLIENT_CONFIG.environment": { kind: "text", about: "name of the environment" },
  "SENTRY.CLIENT_CONFIG.release": { kind: "text", about: "name of the release" },
  "SENTRY.CLIENT_CONFIG.name": { kind: "text", about: "name of the machine" },
  "SENTRY.CLIENT_CONFIG.tags": { kind: "mapping", about: "tags of each event" },
  "SENTRY.CLIENT_CONFIG.site": { kind: "text", about: "tag site of each event" },
  "SENTRY.CLIENT_CONFIG.sample_rate": {
    kind: "number",
    default: 1,
    about: "share of the failures that are reported",
  },
  "SENTRY.REPORT_EXPECTED_EXCEPTIONS": {
    kind: "flag",
    default: true,
    about: "whether expected errors are reported, too",
  },
  "SENTRY.USER_TYPE_CONTEXT_KEYS": { kind: "list", about: "keys of context data that tell of the user" },
  "SENTRY.TAG_TYPE_CONTEXT_KEYS": { kind: "list", about: "keys of context data that become tags" },
};
