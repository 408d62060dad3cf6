import { maskSecrets } from "../../../runtime/log/secrets.ts";
import { maskRandomTexts } from "../../../runtime/log/secret_shapes.ts";
import { escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import { formatConfigYaml } from "../../../runtime/config/yaml.ts";
import type { CommandIo } from "../command_io.ts";
import { commandConfig, type ConfigFileFlags } from "../flags/config_flags.ts";
import { withExtensions } from "../flags/extension_flags.ts";
import { EXIT } from "../view/failure_report.ts";

/** The flags that set the configuration. */
export interface ConfigFlags extends ConfigFileFlags {
  readonly broker?: string;
  /** Paths or URLs of modules that export extensions. */
  readonly extension?: readonly string[];
}

/** Flags of `config`. */
export interface ConfigCommandFlags extends ConfigFlags {
  readonly json?: boolean;
  /** Whether every setting is shown, with its default and where its value is from. */
  readonly all?: boolean;
}

/** Prints the configuration that the other commands would use. */
export async function configCommand(
  { broker, extension, json, all = false, ...sources }: ConfigCommandFlags,
  io: CommandIo,
): Promise<number> {
  const { config: read } = await commandConfig(sources, io, {
    flags: { TRANSPORT: broker },
    onFound: (file) => io.writeMessage(`Using ${file}\n`),
    onRemark: (remark) => io.writeMessage(`${escapeControlsInLines(remark)}\n`),
  });
  const resolved = withExtensions(read, extension);
  if (all) {
    const { knownSettings } = await import("../../setting_list.ts");
    const { settingRows, settingText } = await import("../view/setting_rows.ts");
    const rows = settingRows(resolved, await knownSettings());
    const text = json
      ? `${JSON.stringify(rows, null, 2)}\n`
      : settingText(rows, io.screen?.size().columns ?? Infinity);
    io.writeResult(escapeControlsInLines(text));
    return EXIT.fine;
  }
  const config = maskRandomTexts(maskSecrets(resolved));
  const text = json ? `${JSON.stringify(config, null, 2)}\n` : formatConfigYaml(config);
  io.writeResult(escapeControlsInLines(text));
  return EXIT.fine;
}
