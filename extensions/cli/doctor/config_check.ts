import { Settings } from "../../settings.ts";
import type { CommandIo } from "../command_io.ts";
import { readRunConfig, type RunFlags } from "../flags/run_config.ts";
import type { Check } from "./finding.ts";

/**
 * Reads the configuration as `run` does: file, variables, keys and values.
 *
 * @param onSettings Takes the settings, if the configuration gives any.
 */
export function configCheck(
  flags: RunFlags,
  io: CommandIo,
  onSettings: (settings: Settings) => void,
): Check {
  return async (found) => {
    const { config, file } = await readRunConfig(flags, io, { onRemark: (remark) => found.warn(remark) });
    const settings = await Settings.read(config, {
      extensions: io.extensions,
      ...(flags.importMap !== undefined && { importMap: flags.importMap }),
    });
    for (const remark of settings.remarks) found.warn(remark);
    const keys = Object.keys(config).length;
    const size = `${keys} ${keys === 1 ? "key" : "keys"}`;
    found.ok(
      file === undefined ? `No file is named, ${size} from flags and variables` : `${file}, ${size}`,
    );
    onSettings(settings);
  };
}
