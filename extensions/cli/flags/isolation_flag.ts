import type { Config } from "../../../runtime/config/file.ts";
import { keepPlaces } from "../../../runtime/config/place.ts";
import { isRecord } from "../../../runtime/message/plain.ts";
import { PROCESS_LIMIT_SETTINGS } from "../../../runtime/serving/limits/process_limit_settings.ts";
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
  isolation: "threads" | "process" | undefined,
  onRemark: (remark: string) => void,
): Config {
  if (isolation === undefined) return config;
  const { services = {} } = config;
  const own = isRecord(services) ? Object.entries(services) : [];
  const losers = own.filter(([, values]) => isRecord(values) && values["isolation"] === "process");
  const isForAll = config["isolation"] === "process";
  const takesAway = isolation === "threads" && (isForAll || losers.length > 0);
  const limits = !takesAway
    ? []
    : Object.keys(PROCESS_LIMIT_SETTINGS).filter((key) =>
      [config, ...own.map(([, values]) => values)].some((values) =>
        isRecord(values) && Object.hasOwn(values, key)
      )
    );
  if (takesAway) {
    const who = isForAll ? "all services" : losers.map(([name]) => name).join(", ");
    const lost = limits.length === 0 ? "" : `, and ${limits.join(", ")} without an effect`;
    onRemark(
      `--isolation threads wins over the configuration, and leaves ${who} without a process of its own${lost}. ` +
        "Leave the flag out to keep that wall",
    );
  }
  const dropped = ["isolation", ...limits];
  return keepPlaces({ ...withoutKeys(withoutKeysOfServices(config, dropped), dropped), isolation }, config);
}
