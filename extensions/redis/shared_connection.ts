/**
 * Connections that all their users share: in the main thread those of all services, in a thread those of its
 * dependencies. A connection is made for its first holder, and closed when its last holder has let it go.
 */
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

/** Gives a share of the connection to a server. It returns at once: the first command waits for the connection. */
export function holdConnection(server: RedisServer): HeldConnection {
  const key = JSON.stringify(server);
  const entry = shared.get(key) ?? { connection: new RedisConnection(server), holders: 0 };
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
