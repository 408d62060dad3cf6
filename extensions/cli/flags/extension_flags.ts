import type { Config } from "../../../runtime/config/file.ts";
import { isTexts } from "../../../runtime/message/plain.ts";
import { keepPlaces } from "../../../runtime/config/place.ts";

/** Returns the configuration with these extensions beside those that it names itself. */
export function withExtensions(config: Config, named: readonly string[] = []): Config {
  const { extensions = null } = config;
  if (named.length === 0 || (extensions !== null && !isTexts(extensions))) return config;
  return keepPlaces({ ...config, extensions: [...new Set([...extensions ?? [], ...named])] }, config);
}
