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

/** Prints the configuration that the other commands would use. */
export async function configCommand(
  { broker, extension, json, ...sources }: ConfigFlags & { readonly json?: boolean },
  io: CommandIo,
): Promise<number> {
  const { config: read, file, found } = await commandConfig(sources, io, {
    flags: { TRANSPORT: broker },
    onRemark: (remark) => io.writeMessage(`${escapeControlsInLines(remark)}\n`),
  });
  if (found) io.writeMessage(`Using ${file}\n`);
  const resolved = withExtensions(read, extension);
  const config = maskRandomTexts(maskSecrets(resolved));
  const text = json ? `${JSON.stringify(config, null, 2)}\n` : formatConfigYaml(config);
  io.writeResult(escapeControlsInLines(text));
  return EXIT.fine;
}
