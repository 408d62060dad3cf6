import type { Call } from "../../runtime/service/call.ts";
import { dependency, type DependencyHost, type DependencySpec } from "../../runtime/service/dependency.ts";
import { Section } from "../../runtime/config/section.ts";
import { openDriver } from "./driver/open_driver.ts";
import type { Kysely, Transaction } from "./kysely.ts";
import { ThreadConnections } from "./limit/thread_connections.ts";
import { Session } from "./query/session.ts";
import { ThreadDatabase } from "./query/thread_database.ts";
import { unitOfWork, type UnitOfWorkOptions } from "./query/unit_of_work.ts";
import { databaseOf, sqlSettings } from "./settings.ts";

/** Options of {@linkcode sql}. */
export interface SqlOptions {
  /** Which of the databases of the service: `DB_URIS` then has the key `service:name`. @default {the only one} */
  readonly name?: string;
}

/**
 * The database of a service, in one call. The queries are those of kysely.
 *
 * @typeParam Database Interface of the tables by name; each is an interface of its columns.
 */
export interface Sql<Database> {
  /**
   * All queries of the call in one transaction, which the first of them begins. It is committed when the handler has
   * succeeded, and rolled back when it has failed, also by an expected error or a `Retry`. If the commit fails, the call
   * does.
   */
  readonly session: Transaction<Database>;
  /** Queries that are each committed at once. */
  readonly pool: Kysely<Database>;
  /**
   * Runs `work` in a transaction of its own, which is committed when `work` returns, and rolled back if it throws. After
   * a serialization failure or a deadlock, `work` runs again from its beginning.
   *
   * @throws What `work` throws, or what the database says against the commit.
   */
  unitOfWork<Value>(
    work: (transaction: Transaction<Database>) => Promise<Value>,
    options?: UnitOfWorkOptions,
  ): Promise<Value>;
}

/**
 * Injects the database of the service, which `SQL` or `DB_URIS` of the configuration names.
 *
 * A call that makes no query takes no connection.
 *
 * @example
 * ```ts
 * interface Tables { orders: { id: Generated<number>; total: number } }
 *
 * export default service("orders", {
 *   dependencies: { db: sql<Tables>() },
 *   entrypoints: { total: rpc() },
 *   handlers: {
 *     async total({ db }, id: number) {
 *       const query = db.session.selectFrom("orders").select("total").where("id", "=", id);
 *       return (await query.executeTakeFirstOrThrow()).total;
 *     },
 *   },
 * });
 * ```
 */
export function sql<Database>(options: SqlOptions = {}): DependencySpec<Sql<Database>> {
  const { name, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new TypeError(`Cannot use sql(): it has no option "${unknown}", only name`);
  }
  return dependency({
    kind: "sql",
    options: name === undefined ? {} : { name },
    bind(host) {
      let database: ThreadDatabase | undefined;
      const calls = new WeakMap<Call, CallSql<Database>>();
      return {
        get(call) {
          const own = new CallSql<Database>(database ??= databaseFor(host, name), call);
          calls.set(call, own);
          return own;
        },
        release: (call, result) => calls.get(call)?.openSession?.end(result),
        [Symbol.asyncDispose]: async () => await database?.[Symbol.asyncDispose](),
      };
    },
  });
}

function databaseFor(host: DependencyHost, name: string | undefined): ThreadDatabase {
  const settings = sqlSettings(new Section(host.config));
  const uri = databaseOf(settings, host.service, name);
  return new ThreadDatabase(uri, new ThreadConnections({ driver: openDriver(uri), settings, host }));
}

/** The database in one call. Its parts are made when the handler first uses them. */
class CallSql<Database> implements Sql<Database> {
  readonly #database: ThreadDatabase;
  readonly #call: Call;
  #session: Session<Database> | undefined;
  #pool: Kysely<Database> | undefined;

  constructor(database: ThreadDatabase, call: Call) {
    this.#database = database;
    this.#call = call;
    this.unitOfWork = (work, options = {}) => unitOfWork(database, call, work, options);
  }

  readonly unitOfWork: Sql<Database>["unitOfWork"];

  get session(): Transaction<Database> {
    this.#session ??= new Session(this.#database, this.#call);
    return this.#session.kysely;
  }

  get pool(): Kysely<Database> {
    return this.#pool ??= this.#database.kyselys.kysely<Database>({
      provideConnection: (consume, options) =>
        this.#database.lend(options?.signal ?? this.#call.signal, consume),
    });
  }

  /** The session, if the handler has used it. */
  get openSession(): Session<Database> | undefined {
    return this.#session;
  }
}
