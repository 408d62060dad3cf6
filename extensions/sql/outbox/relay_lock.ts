/**
 * The lock that makes one instance of a cluster relay the outbox of a service.
 *
 * It goes with the connection on which the rows are deleted, or with the process: whoever dies lets go of it at once,
 * and needs no lease. In SQLite it is a lock of the file system, on a file beside the database.
 */
import type { SqlConnection, SqlDialect } from "../driver/driver.ts";

/** A lock for one relay of a service. Disposing it lets go of it, unless the connection has done so. */
export interface RelayLock extends AsyncDisposable {
  /** Takes the lock; resolves with false if another instance has it. Aborting gives up the connection. */
  take(signal: AbortSignal): Promise<boolean>;
}

const TEXTS = {
  postgres:
    "select pg_try_advisory_lock(hashtextextended(concat('enoki relay ', current_schema(), ' ', $1::text), 0)) as held",
  mysql: "select get_lock(concat('enoki_', sha1(concat(database(), ' ', ?))), 0) as held",
} as const;

/**
 * Makes the lock for the relay of a service.
 *
 * @param database Name of the database, or path of the file of SQLite.
 */
export function relayLock(
  dialect: SqlDialect,
  database: string,
  connection: SqlConnection,
  service: string,
): RelayLock {
  if (dialect === "sqlite") return new FileLock(`${database}-enoki-${encodeURIComponent(service)}.lock`);
  const text = TEXTS[dialect];
  return {
    async take(signal) {
      const { rows: [row] } = await connection.query(text, [service], { signal });
      const { held } = row!;
      return held === true || Number(held) === 1;
    },
    // The connection is disposed after the relay, and has its lock until then.
    [Symbol.asyncDispose]: () => Promise.resolve(),
  };
}

class FileLock implements RelayLock {
  readonly #path: string;
  #file: Deno.FsFile | undefined;

  constructor(path: string) {
    this.#path = path;
  }

  async take(): Promise<boolean> {
    const file = await Deno.open(this.#path, { create: true, write: true });
    if (await file.tryLock(true)) {
      this.#file = file;
      return true;
    }
    file.close();
    return false;
  }

  [Symbol.asyncDispose](): Promise<void> {
    // The file stays: another instance may be about to lock it.
    this.#file?.close();
    this.#file = undefined;
    return Promise.resolve();
  }
}
