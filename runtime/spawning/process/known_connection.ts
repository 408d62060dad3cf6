import { TOKEN_LENGTH } from "./process_messages.ts";

/** Connections that may be silent at a time. */
const MOST_SILENT = 16;

/**
 * Waits for a connection that begins with a token, and closes all others. One that says nothing keeps none of them
 * waiting: of too many such connections, the oldest is closed.
 *
 * Whoever calls this closes the listener.
 *
 * @param token Text of {@linkcode TOKEN_LENGTH} bytes.
 * @throws {Error} If the listener is closed before.
 */
export async function knownConnection(listener: Deno.Listener, token: string): Promise<Deno.Conn> {
  const { promise, resolve, reject } = Promise.withResolvers<Deno.Conn>();
  const silent = new Set<Deno.Conn>();
  const look = async (connection: Deno.Conn) => {
    silent.add(connection);
    const isKnown = await beginsWith(connection, token);
    // Others may have been closed meanwhile.
    if (!silent.delete(connection)) return;
    if (isKnown) resolve(connection);
    else connection.close();
  };
  const listen = async () => {
    for (;;) {
      const connection = await listener.accept();
      const [oldest] = silent;
      if (silent.size === MOST_SILENT) drop(oldest!);
      void look(connection);
    }
  };
  const drop = (connection: Deno.Conn) => {
    silent.delete(connection);
    connection.close();
  };
  listen().catch(reject);
  try {
    return await promise;
  } finally {
    for (const connection of silent) drop(connection);
  }
}

/** Never rejects. */
async function beginsWith(connection: Deno.Conn, text: string): Promise<boolean> {
  const bytes = new Uint8Array(TOKEN_LENGTH);
  try {
    for (let end = 0; end < TOKEN_LENGTH;) {
      const count = await connection.read(bytes.subarray(end));
      if (count === null) return false;
      end += count;
    }
  } catch {
    return false;
  }
  return new TextDecoder().decode(bytes) === text;
}
