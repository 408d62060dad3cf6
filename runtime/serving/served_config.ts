/** This file decides which part of the configuration the two halves of a service see. */
import type { Config } from "../config/file.ts";
import { keepPlaces } from "../config/place.ts";
import { isRecord, type Plain, type PlainRecord } from "../message/plain.ts";
import type { ServiceSettings } from "./settings.ts";

/** Keys of connections that are the main thread's. Their values are credentials, or lead to them. */
const CONNECTION_KEYS = [
  "AMQP_URI",
  "AMQP_MANAGEMENT_URI",
  "TRANSPORT",
  "AMQP_SSL",
  "HTTP_TLS",
  "STREAM_TLS",
] as const;

type Own = Pick<ServiceSettings, "config" | "configKeys">;

/**
 * Returns what the host halves of extensions see of the configuration.
 *
 * Section `modules` is left out: code must not know how it is fetched, and with which credentials.
 */
export function hostConfig({ modules: _, ...config }: Config, { config: own }: Own): PlainRecord {
  return keepPlaces({ ...config, ...own }, config, own ?? {});
}

/**
 * Returns what the threads of a service see of the configuration: no connections, no environment variables,
 * and no keys that only another service has. The keys of its own are there in any case.
 */
export function threadConfig(config: Config, { config: own, configKeys }: Own): PlainRecord {
  const hidden: ReadonlySet<string> = new Set(["modules", "env", ...CONNECTION_KEYS]);
  const allowed = configKeys === undefined ? undefined : new Set(configKeys);
  const seen = Object.entries(config)
    .filter(([key]) => !hidden.has(key) && (allowed?.has(key) ?? true))
    .map(([key, value]) => [key, key === "services" ? withoutKeysOfServices(value) : value] as const);
  return keepPlaces({ ...Object.fromEntries(seen), ...own }, config, own ?? {});
}

function withoutKeysOfServices(services: Plain): Plain {
  if (!isRecord(services)) return services;
  return Object.fromEntries(
    Object.entries(services).map(([name, settings]) => {
      if (!isRecord(settings)) return [name, settings];
      const { config: _config, env: _env, ...others } = settings;
      return [name, others];
    }),
  );
}
