import { ConfigurationError } from "../../../runtime/message/errors.ts";

/**
 * Makes way for a listener at a Unix socket: removes the file that a killed process has left behind.
 *
 * @throws {ConfigurationError} If somebody listens there, or if the file is no socket.
 */
export async function clearSocketFile(path: string): Promise<void> {
  const refuse = (state: string, wayOut: string) =>
    new ConfigurationError(
      `Cannot listen on unix:${path}: ${state}. ${wayOut}, or choose another with --http or WEB_SERVER_ADDRESS`,
    );
  try {
    if (!(await Deno.lstat(path)).isSocket) throw refuse("there is a file that is no socket", "Remove it");
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    await Deno.remove(path);
    return;
  }
  throw refuse("another process listens there", "Stop it");
}
