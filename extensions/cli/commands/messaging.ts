import type { Config } from "../../../runtime/config/file.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { CommandIo } from "../command_io.ts";
import { commandConfig } from "../flags/config_flags.ts";
import { withExtensions } from "../flags/extension_flags.ts";
import type { ConfigFlags } from "./config.ts";

/** Seconds that a broker has to confirm a message. */
export const CONFIRM_TIMEOUT = 30;

/**
 * Begins a command that talks to a broker and serves nothing: writes the log among the command's messages,
 * and returns the configuration.
 */
export async function beginMessaging(
  { extension, logLevel = "warning", ...sources }: ConfigFlags & { readonly logLevel?: string },
  io: CommandIo,
): Promise<Config> {
  configureLogging({
    level: logLevel,
    colors: io.colors,
    write: (line) => io.writeMessage(`${line}\n`),
  });
  const { config } = await commandConfig(sources, io);
  return withExtensions(config, [...io.extensions, ...extension ?? []]);
}
