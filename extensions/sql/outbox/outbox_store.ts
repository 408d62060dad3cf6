import { timeLimit } from "../../../runtime/waiting/abort.ts";
import type { SqlConnection, SqlDialect } from "../driver/driver.ts";
import { messageOf } from "./stored_message.ts";
import { statementFor } from "./statement.ts";
import type { Message } from "../../../runtime/message/transport.ts";

/** Most messages that are read at once. */
export const BATCH = 512;

/** Most bytes of messages that are read at once, unless a single one has more. */
const BATCH_BYTES = 16 * 2 ** 20;

/** Milliseconds after which a database that does not answer counts as lost. */
const STATEMENT_LIMIT = 30_000;

/** A message that waits. */
export interface WaitingMessage {
  readonly id: number;
  readonly messageId: string;
  /** Undefined if the row is not one of ours. */
  readonly message: Message | undefined;
}

/** Numbers of the outbox of a service. */
export interface OutboxNumbers {
  readonly waiting: number;
  readonly parked: number;
  /** Seconds that the oldest waiting message has waited; 0 if there is none. */
  readonly oldest: number;
}

const COLUMNS = "id, message_id, exchange, routing_key, mandatory, properties, body";

/**
 * Statements for a list of ids, which is one parameter.
 *
 * MariaDB and MySQL would read the whole table for a long `in (…)`. Then a deletion would wait for the end of each
 * transaction that has written a message, which may be far away. So the list leads, and the table follows by its key.
 */
const LISTS: Readonly<Record<SqlDialect, { readonly read: string; readonly remove: string }>> = {
  postgres: {
    read: `select ${COLUMNS} from enoki_outbox where id = any($1::bigint[]) order by id`,
    remove: "delete from enoki_outbox where id = any($1::bigint[])",
  },
  mysql: {
    read: `select ${COLUMNS} from enoki_outbox where id in ` +
      "(select listed from json_table(?, '$[*]' columns (listed bigint path '$')) as list) order by id",
    remove: "delete enoki_outbox from json_table(?, '$[*]' columns (listed bigint path '$')) as list " +
      "straight_join enoki_outbox on enoki_outbox.id = list.listed",
  },
  sqlite: {
    read: `select ${COLUMNS} from enoki_outbox where id in (select value from json_each(?)) order by id`,
    remove: "delete from enoki_outbox where id in (select value from json_each(?))",
  },
};

/** The outbox of one service, as its relay uses it, on one connection. */
export class OutboxStore {
  readonly #connection: SqlConnection;
  readonly #dialect: SqlDialect;
  readonly #service: string;
  readonly #signal: AbortSignal;

  /** @param signal Aborting gives up what runs, and the connection. */
  constructor(connection: SqlConnection, dialect: SqlDialect, service: string, signal: AbortSignal) {
    this.#connection = connection;
    this.#dialect = dialect;
    this.#service = service;
    this.#signal = signal;
  }

  /** Reads the messages that have waited longest, in the order of their ids. */
  async read(): Promise<readonly WaitingMessage[]> {
    const heads = await this.#query(
      `select id, size from enoki_outbox where service = ? and parked = 0 order by id limit ${BATCH}`,
      [this.#service],
    );
    if (heads.length === 0) return [];
    let bytes = 0;
    const ids: number[] = [];
    for (const { id, size } of heads) {
      bytes += Number(size);
      if (ids.length > 0 && bytes > BATCH_BYTES) break;
      ids.push(Number(id));
    }
    const rows = await this.#query(LISTS[this.#dialect].read, [this.#list(ids)]);
    return rows.map((row) => ({
      id: Number(row["id"]),
      messageId: String(row["message_id"]),
      message: readable(row),
    }));
  }

  async remove(ids: readonly number[]): Promise<void> {
    if (ids.length === 0) return;
    await this.#query(LISTS[this.#dialect].remove, [this.#list(ids)]);
  }

  /** Keeps a message, but does not offer it any more. */
  async park(id: number, error: string): Promise<void> {
    await this.#query("update enoki_outbox set parked = 1, error = ? where id = ?", [error, id]);
  }

  async numbers(): Promise<OutboxNumbers> {
    const rows = await this.#query(
      "select parked, count(*) as messages, min(written_at) as oldest from enoki_outbox where service = ? group by parked",
      [this.#service],
    );
    const waiting = rows.find(({ parked }) => Number(parked) === 0);
    const parked = rows.find(({ parked }) => Number(parked) !== 0);
    return {
      waiting: Number(waiting?.["messages"] ?? 0),
      parked: Number(parked?.["messages"] ?? 0),
      oldest: waiting === undefined ? 0 : Math.max(0, (Date.now() - Number(waiting["oldest"])) / 1_000),
    };
  }

  #list(ids: readonly number[]): string {
    return this.#dialect === "postgres" ? `{${ids}}` : `[${ids}]`;
  }

  async #query(
    text: string,
    parameters: readonly unknown[],
  ): Promise<readonly Readonly<Record<string, unknown>>[]> {
    using limit = timeLimit(STATEMENT_LIMIT, this.#signal);
    const { signal } = limit;
    return (await this.#connection.query(statementFor(this.#dialect, text), parameters, { signal })).rows;
  }
}

function readable(row: Readonly<Record<string, unknown>>): Message | undefined {
  try {
    return messageOf(row);
  } catch {
    return undefined;
  }
}
