/**
 * Who hosts the broker of a socket, decided once for all processes.
 *
 * The invariant: at most one listener is bound to a socket's path, and nobody removes the socket file of a
 * listener that lives. Binding is atomic, but a host that was killed leaves its file behind, which must go before
 * the next can bind; between finding that nobody listens and removing the file, another process may have bound.
 * So trying to connect, removing and binding happen under a lock on a file beside the socket, and so does the
 * polite close of a listener, which removes the file too. The kernel frees the lock of a killed process. The lock
 * file itself is never removed: a lock on a removed file would exclude nobody.
 */
import { abortable } from "../../runtime/waiting/abort.ts";

/** Either the place of the host or a connection to it. */
export type Claim =
  | { readonly role: "host"; readonly listener: Deno.Listener }
  | { readonly role: "client"; readonly stream: Deno.Conn };

/** Connects to the host of a socket, or becomes it if there is none. */
export async function claim(path: string, signal?: AbortSignal): Promise<Claim> {
  return await underLock(path, async () => {
    try {
      return { role: "client", stream: await Deno.connect({ transport: "unix", path }) };
    } catch (error) {
      if (error instanceof Deno.errors.ConnectionRefused) await Deno.remove(path);
      else if (!(error instanceof Deno.errors.NotFound)) throw error;
    }
    const listener = Deno.listen({ transport: "unix", path });
    await Deno.chmod(path, 0o600);
    return { role: "host", listener };
  }, signal);
}

/** Gives the place of the host up. */
export async function release(path: string, listener: Deno.Listener): Promise<void> {
  // deno-lint-ignore require-await -- closing removes the socket file, so it needs the lock
  await underLock(path, async () => listener.close());
}

async function underLock<Result>(
  path: string,
  action: () => Promise<Result>,
  signal?: AbortSignal,
): Promise<Result> {
  signal?.throwIfAborted();
  const file = await Deno.open(`${path}.lock`, { create: true, write: true, mode: 0o600 });
  const locked = file.lock(true);
  try {
    await abortable(locked, signal);
  } catch (error) {
    // The wait cannot be called off, so the lock is let go when it comes
    locked.finally(() => file.close()).catch(() => {});
    throw error;
  }
  try {
    return await action();
  } finally {
    file.close();
  }
}
