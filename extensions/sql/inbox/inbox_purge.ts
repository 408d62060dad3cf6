/**
 * Forgets the messages whose time is over.
 *
 * Every instance does so, because to forget a message twice is harmless: no lock is needed, and a connection only for
 * a moment.
 */
import { pause } from "../../../runtime/waiting/abort.ts";
import type { Log } from "../../../runtime/log/log.ts";
import type { SqlConnection, SqlDialect, SqlDriver } from "../driver/driver.ts";
import { statementFor } from "../outbox/statement.ts";

/** Options of {@linkcode InboxPurge}. */
export interface InboxPurgeOptions {
  readonly driver: SqlDriver;
  readonly service: string;
  readonly log: Log;
  /** Milliseconds between two looks. */
  readonly interval: number;
}

/** Most rows that one statement deletes, so that it holds no lock for long. */
const CHUNK = 1_000;

const OLD = "service = ? and forget_at <= ?";

const TEXTS: Readonly<Record<SqlDialect, string>> = {
  postgres: statementFor(
    "postgres",
    `delete from enoki_inbox where ctid = any(array(select ctid from enoki_inbox where ${OLD} limit ${CHUNK}))`,
  ),
  mysql: `delete from enoki_inbox where ${OLD} order by forget_at limit ${CHUNK}`,
  sqlite:
    `delete from enoki_inbox where rowid in (select rowid from enoki_inbox where ${OLD} limit ${CHUNK})`,
};

/** Forgets old messages from time to time, until it is disposed. */
export class InboxPurge implements AsyncDisposable {
  readonly #options: InboxPurgeOptions;
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;

  constructor(options: InboxPurgeOptions) {
    this.#options = options;
    this.#ended = this.#run();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  async #run(): Promise<void> {
    const { driver, service, log, interval } = this.#options;
    const { signal } = this.#ending;
    while (!signal.aborted) {
      try {
        await using connection = await driver.connect({ signal });
        await purge(connection, driver.dialect, service, signal);
      } catch (error) {
        // It is done the next time: only the table grows meanwhile.
        if (!signal.aborted) {
          log.debug(
            `Cannot forget old messages of the inbox of service "${service}": ${(error as Error).message}`,
          );
        }
      }
      await pause(interval * (0.75 + Math.random() / 2), signal).catch(() => {});
    }
  }
}

async function purge(
  connection: SqlConnection,
  dialect: SqlDialect,
  service: string,
  signal: AbortSignal,
): Promise<void> {
  let affected: bigint | undefined;
  do {
    // So MariaDB and MySQL lock no rows beside those that they delete.
    const isolation = dialect === "mysql" ? "read committed" : undefined;
    await connection.begin({ isolation, writes: true, signal });
    ({ affected } = await connection.query(TEXTS[dialect], [service, Date.now()], { signal }));
    await connection.commit({ signal });
  } while (affected === BigInt(CHUNK));
}
