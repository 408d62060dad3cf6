import { isRecord } from "../../message/plain.ts";
import type { Section } from "../../config/section.ts";
import type { ModuleHeaders } from "./download.ts";
import type { ModuleFetcherOptions } from "./fetcher.ts";
import { isHostPattern } from "./origins.ts";

/**
 * Reads the section `modules` of a configuration.
 *
 * Any of its keys may be the one that makes remote code safe, so this function refuses unknown keys.
 *
 * @throws {ConfigurationError} If a key is unknown or has a value that it cannot have.
 */
export function moduleSettings(at: Section | undefined): ModuleFetcherOptions {
  if (at === undefined) return {};
  const lock = lockOptions(at);
  const cache = at.get("cache") === false ? false : at.text("cache");
  const mode = fetchMode(at);
  const allowImport = hosts(at);
  const headers = hostHeaders(at);
  const caCerts = at.text("ca_certs");
  const timeout = at.milliseconds("timeout");
  const maxBytes = at.integer("max_size", 1);
  const maxTotalBytes = at.integer("max_total_size", 1);
  const allowHttp = at.flag("allow_http") ?? false;
  at.refuseOthers();
  return {
    allowHttp,
    ...(lock && { lock }),
    ...(cache !== undefined && { cache: cache === false ? false : { folder: cache } }),
    ...(mode && { mode }),
    ...(allowImport && { allowImport }),
    ...(headers && { headers }),
    ...(caCerts !== undefined && { caCerts }),
    ...(timeout !== undefined && { timeout }),
    ...(maxBytes !== undefined && { maxBytes }),
    ...(maxTotalBytes !== undefined && { maxTotalBytes }),
  };
}

function lockOptions(at: Section): ModuleFetcherOptions["lock"] {
  const path = at.text("lock");
  const frozen = at.flag("frozen") ?? false;
  if (path !== undefined) return { path, mode: frozen ? "check" : "record" };
  if (frozen) return at.refuse("frozen", "a lock file beside it: set modules.lock or pass --lock");
  return undefined;
}

function fetchMode(at: Section): ModuleFetcherOptions["mode"] {
  const reload = at.flag("reload") ?? false;
  const cachedOnly = at.flag("cached_only") ?? false;
  if (reload && cachedOnly) return at.refuse("reload", "false together with cached_only");
  return reload ? "reload" : cachedOnly ? "cached-only" : undefined;
}

/** Reads the allowed hosts. `true` stands for all hosts, as `--allow-import` without a value does. */
function hosts(at: Section): readonly string[] | undefined {
  if (at.get("allow_import") === true) return undefined;
  const list = at.texts("allow_import");
  if (list === undefined || list.every(isHostPattern)) return list;
  return at.refuse("allow_import", "hosts, such as example.com:443 or *.example.com");
}

function hostHeaders(at: Section): ModuleHeaders | undefined {
  const section = at.section("headers");
  if (section === undefined) return undefined;
  const refuse = () => at.refuse("headers", "a mapping of hosts to mappings of headers to texts");
  return Object.fromEntries(
    Object.entries(section.values).map(([host, own]) => {
      if (!isHostPattern(host) || host.startsWith("*") || !isRecord(own)) return refuse();
      const headers = Object.entries(own).flatMap(([name, value]) => {
        if (value === null) return [];
        return isHeader(name, value) ? [[name, value] as const] : refuse();
      });
      return [new URL(`https://${host}`).host, Object.fromEntries(headers)];
    }),
  );
}

function isHeader(name: string, value: unknown): value is string {
  try {
    return typeof value === "string" && new Headers([[name, value]]) !== undefined;
  } catch {
    return false;
  }
}
