import type { Config } from "../../../runtime/config/file.ts";
import { resolveConfig } from "../../../runtime/config/config.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import type { CommandIo } from "../command_io.ts";
import type { ConfigFlags } from "./config.ts";

/** Seconds that a broker has to confirm what is sent. */
export const CONFIRM_TIMEOUT = 30;

/** What the commands begin with that talk to a broker and serve nothing: the log among their messages. */
export async function beginMessaging(
  { config: file, define, logLevel = "warning" }: ConfigFlags & { readonly logLevel?: string },
  io: CommandIo,
): Promise<Config> {
  configureLogging({
    level: logLevel,
    colors: io.colors,
    write: (line) => io.writeMessage(`${line}\n`),
  });
  return await resolveConfig({
    env: io.env,
    ...(file !== undefined && { file }),
    ...(define && { define }),
  });
}
