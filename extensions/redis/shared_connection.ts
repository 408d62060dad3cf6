/**
 * Connections that all their users share: in the main thread those of all services, in a thread those of its
 * dependencies. A connection is made for its first holder, and closed when its last holder has let it go.
 */
import type { Log } from "../../runtime/log/log.ts";
import { RedisConnection } from "./connection.ts";
import type { RedisServer } from "./settings.ts";

/** A share of a connection. Its disposal gives the share back; idempotent. */
export interface HeldConnection extends AsyncDisposable {
  readonly connection: RedisConnection;
}

interface Shared {
  readonly connection: RedisConnection;
  holders: number;
}

const shared = new Map<string, Shared>();

/**
 * Gives a share of the connection to a server. It returns at once: the first command waits for the connection.
 *
 * @param log What of the first holder is told when Redis is away, and when it is back.
 */
export function holdConnection(server: RedisServer, log: Log): HeldConnection {
  const key = JSON.stringify(server);
  const entry = shared.get(key) ?? { connection: watched(new RedisConnection(server), log), holders: 0 };
  shared.set(key, entry);
  entry.holders++;
  let isHeld = true;
  return {
    connection: entry.connection,
    async [Symbol.asyncDispose]() {
      if (!isHeld) return;
      isHeld = false;
      if (--entry.holders > 0) return;
      shared.delete(key);
      await entry.connection[Symbol.asyncDispose]();
    },
  };
}

function watched(connection: RedisConnection, log: Log): RedisConnection {
  connection.listeners.add({
    onAway: (message) => log.warning(`${message}. What needs it fails until it answers`),
    onBack: () => log.info(`Redis at ${connection.server.shown} answers again`),
  });
  return connection;
}
