import type { Call } from "../../runtime/service/call.ts";
import { dependency, type DependencyHost, type DependencySpec } from "../../runtime/service/dependency.ts";
import { Section } from "../../runtime/config/section.ts";
import { openDriver } from "./driver/open_driver.ts";
import type { Kysely, Transaction } from "./kysely.ts";
import { ThreadConnections } from "./limit/thread_connections.ts";
import { noteMessage } from "./inbox/inbox_writer.ts";
import { divertToOutbox } from "./outbox/divert_to_outbox.ts";
import { effectsOf, type EffectsOptions, plainEffects } from "./outbox/effects_options.ts";
import { RelayAlarm } from "./outbox/relay_alarm.ts";
import { type RunningTransaction, runningTransaction } from "./query/running_transaction.ts";
import { Session } from "./query/session.ts";
import { ThreadDatabase } from "./query/thread_database.ts";
import { unitOfWork, type UnitOfWorkOptions } from "./query/unit_of_work.ts";
import { databaseOf, sqlSettings } from "./settings.ts";

/** Options of {@linkcode sql}. */
export interface SqlOptions extends EffectsOptions {
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
 * import { rpc, service } from "@enoki/enoki";
 * import { type Generated, sql } from "@enoki/enoki/sql";
 *
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
  const { name, outbox: _outbox, inbox: _inbox, ...others } = options;
  const [unknown] = Object.keys(others);
  if (unknown !== undefined) {
    throw new TypeError(`Cannot use sql(): it has no option "${unknown}", only name, outbox and inbox`);
  }
  const { outbox, inbox } = effectsOf(options);
  const effects = plainEffects(options);
  return dependency({
    kind: "sql",
    options: name === undefined ? effects : { name, ...effects },
    bind(host) {
      let database: ThreadDatabase | undefined;
      const alarm = outbox && new RelayAlarm(host);
      const calls = new WeakMap<Call, CallSql<Database>>();
      return {
        get(call) {
          const own = new CallSql<Database>(database ??= databaseFor(host, name), call);
          calls.set(call, own);
          if (alarm !== undefined) divertToOutbox(host, call, () => own.transaction, alarm);
          return own;
        },
        ...(inbox && { once: (call, id, keepFor) => calls.get(call)!.note(id, keepFor) }),
        release: (call, result) => calls.get(call)?.openSession?.end(result),
        [Symbol.asyncDispose]: async () => await database?.[Symbol.asyncDispose](),
      };
    },
  });
}

function databaseFor(host: DependencyHost, name: string | undefined): ThreadDatabase {
  const settings = sqlSettings(new Section(host.config));
  const uri = databaseOf(settings, host.service, name);
  return new ThreadDatabase(
    uri,
    new ThreadConnections({ driver: openDriver(uri), settings, host }),
    host.clock,
  );
}

/** The database in one call. Its parts are made when the handler first uses them. */
class CallSql<Database> implements Sql<Database> {
  readonly #database: ThreadDatabase;
  readonly #call: Call;
  #session: Session<Database> | undefined;
  #pool: Kysely<Database> | undefined;
  /** Whether the message of the call is noted in the inbox. */
  #isOnce = false;

  constructor(database: ThreadDatabase, call: Call) {
    this.#database = database;
    this.#call = call;
    this.unitOfWork = async (work, options = {}) => {
      if (this.#isOnce) {
        throw new TypeError(
          `Cannot begin a unit of work in ${call.service}.${call.method}, which handles each message once: it ` +
            "would be committed without the inbox. Use the session",
        );
      }
      return await unitOfWork(database, call, work, options);
    };
  }

  readonly unitOfWork: Sql<Database>["unitOfWork"];

  get session(): Transaction<Database> {
    return this.#ownSession.kysely;
  }

  /** The transaction of the unit of work that the running code is a part of, or else that of the session. */
  get transaction(): RunningTransaction {
    const running = runningTransaction.getStore();
    return running?.uri === this.#database.uri ? running : this.#ownSession;
  }

  /** Notes the id of the message of the call in the inbox. */
  note(id: string, keepFor: number): Promise<boolean> {
    this.#isOnce = true;
    const { service, method } = this.#call;
    const session = this.#ownSession;
    return noteMessage(session.dialect, (...args) => session.query(...args), {
      service,
      method,
      id,
      keepFor,
    });
  }

  get #ownSession(): Session<Database> {
    return this.#session ??= new Session(this.#database, this.#call);
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
