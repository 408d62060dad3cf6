import type { Config } from "../../../runtime/config/file.ts";
import { keepPlaces } from "../../../runtime/config/place.ts";
import type { ConfigValue } from "../../../runtime/config/yaml.ts";
import { isRecord } from "../../../runtime/message/plain.ts";

/** Copies a mapping without some keys. Anything else stays as it is. */
export function withoutKeys<Value extends ConfigValue>(values: Value, keys: readonly string[]): Value {
  if (!isRecord(values) || !keys.some((key) => Object.hasOwn(values, key))) return values;
  const left = Object.entries(values).filter(([key]) => !keys.includes(key));
  return keepPlaces(Object.fromEntries(left), values) as Value;
}

/** Returns the configuration without some keys of single services. */
export function withoutKeysOfServices(config: Config, keys: readonly string[]): Config {
  const { services } = config;
  if (!isRecord(services)) return config;
  const left = Object.entries(services).map(([name, own]) => [name, withoutKeys(own as ConfigValue, keys)]);
  return keepPlaces({ ...config, services: keepPlaces(Object.fromEntries(left), services) }, config);
}
