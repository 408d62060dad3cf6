/**
 * Here the processes of a machine decide which of them hosts the broker of a socket.
 *
 * The invariant is that at most one listener is bound to a socket's path, and that nobody removes the socket
 * file of a living listener. Binding is atomic, but a killed host leaves its file behind, and somebody must remove
 * it before the next host can bind. After a process has found that nobody listens, and before it removes the file,
 * another process may have bound. So a process connects, removes and binds while it holds a lock on a file beside
 * the socket. It also closes its listener under this lock, because closing removes the socket file. The kernel
 * frees the lock of a killed process. Nobody ever removes the lock file, because a lock on a removed file would
 * exclude nobody.
 */
import { abortable } from "../../runtime/waiting/abort.ts";

/** A claim makes its process the host, or gives it a connection to the host. */
export type Claim =
  | { readonly role: "host"; readonly listener: Deno.Listener }
  | { readonly role: "client"; readonly stream: Deno.Conn };

/** Connects to the host of a socket, or makes this process the host if there is none. */
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

/** Stops listening, so that another process can become the host. */
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
    // Nobody can stop the wait for the lock, so we free the lock when we get it
    locked.finally(() => file.close()).catch(() => {});
    throw error;
  }
  try {
    return await action();
  } finally {
    file.close();
  }
}
