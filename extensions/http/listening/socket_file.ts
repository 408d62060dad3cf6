import { ConfigurationError } from "../../../runtime/message/errors.ts";

/**
 * Clears the path of a Unix socket for a listener: removes the file that a killed process has left behind.
 *
 * @param elsewhere How another address is chosen, for messages.
 * @throws {ConfigurationError} If another process listens there, or if the file is not a socket.
 */
export async function clearSocketFile(path: string, elsewhere: string): Promise<void> {
  const refuse = (state: string, wayOut: string) =>
    new ConfigurationError(
      `Cannot listen on unix:${path}: ${state}. ${wayOut}, or choose another address with ${elsewhere}`,
    );
  try {
    if (!(await Deno.lstat(path)).isSocket) throw refuse("the file there is not a socket", "Remove it");
    (await Deno.connect({ transport: "unix", path })).close();
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return;
    if (!(error instanceof Deno.errors.ConnectionRefused)) throw error;
    await Deno.remove(path);
    return;
  }
  throw refuse("another process listens there", "Stop it");
}
