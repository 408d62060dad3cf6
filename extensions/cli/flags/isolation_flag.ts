import type { Config } from "../../../runtime/config/file.ts";
import { keepPlaces } from "../../../runtime/config/place.ts";
import { isRecord } from "../../../runtime/message/plain.ts";
import { PROCESS_LIMIT_SETTINGS } from "../../../runtime/serving/limits/process_limit_settings.ts";
import type { Isolation } from "../../../runtime/spawning/isolation.ts";
import { withoutKeys, withoutKeysOfServices } from "./without_keys.ts";

/**
 * Returns the configuration with the flag `--isolation`, which wins for all services and for single ones.
 *
 * With `threads`, the flag takes away what the configuration has walled off. So a remark names these services, and the
 * limits that only a process of their own can have are left out.
 *
 * @param onRemark Called with a sentence if the flag takes something away.
 */
export function withIsolation(
  config: Config,
  isolation: Isolation | undefined,
  onRemark: (remark: string) => void,
): Config {
  if (isolation === undefined) return config;
  const { services = {} } = config;
  const losses = isolation === "process" ? [] : [
    { who: "all services", lost: walls(config) },
    ...Object.entries(isRecord(services) ? services : {}).map(([who, own]) => ({ who, lost: walls(own) })),
  ].filter(({ lost }) => lost.length > 0);
  const limits = LIMITS.filter((key) => losses.some(({ lost }) => lost.includes(key)));
  if (losses.length > 0) {
    const [first] = losses;
    const who = first!.who === "all services" ? first!.who : losses.map(({ who }) => who).join(", ");
    const effect = limits.length === 0 ? "" : `, and ${limits.join(", ")} without an effect`;
    onRemark(
      `--isolation threads wins over the configuration, and leaves ${who} without a process of its own${effect}. ` +
        "Leave the flag out to keep that wall",
    );
  }
  const dropped = ["isolation", ...limits];
  return keepPlaces({ ...withoutKeys(withoutKeysOfServices(config, dropped), dropped), isolation }, config);
}

const LIMITS = Object.keys(PROCESS_LIMIT_SETTINGS);

/** The keys with which settings say that there is a process. */
function walls(settings: unknown): readonly string[] {
  if (!isRecord(settings)) return [];
  const limits = LIMITS.filter((key) => Object.hasOwn(settings, key));
  return settings["isolation"] === "process" ? ["isolation", ...limits] : limits;
}
