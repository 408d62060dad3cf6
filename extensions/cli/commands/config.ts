import { maskSecrets } from "../../../runtime/log/secrets.ts";
import { maskRandomTexts } from "../../../runtime/log/secret_shapes.ts";
import { escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";
import { resolveConfig } from "../../../runtime/config/config.ts";
import { formatConfigYaml } from "../../../runtime/config/yaml.ts";
import type { CommandIo } from "../command_io.ts";
import { EXIT } from "../view/failure_report.ts";

/** The flags that set the configuration. */
export interface ConfigFlags {
  readonly config?: string;
  readonly define?: readonly string[];
  readonly broker?: string;
}

/** Prints the configuration that the other commands would use. */
export async function configCommand(
  { config: file, define, broker, json }: ConfigFlags & { readonly json?: boolean },
  io: CommandIo,
): Promise<number> {
  const resolved = await resolveConfig({
    env: io.env,
    ...(file !== undefined && { file }),
    ...(define && { define }),
    flags: { TRANSPORT: broker },
  });
  const config = maskRandomTexts(maskSecrets(resolved));
  const text = json ? `${JSON.stringify(config, null, 2)}\n` : formatConfigYaml(config);
  io.writeResult(escapeControlsInLines(text));
  return EXIT.fine;
}
