/**
 * Makes kysely use our drivers: its compilers write the SQL, our connections run it.
 *
 * kysely asks a connection provider for a connection whenever it runs a query. What a query runs on (the transaction of
 * a call, a unit of work, any free connection) is therefore a provider, and everything else is shared.
 */
import type {
  SqlConnection,
  SqlDialect,
  SqlIsolation,
  SqlQueryOptions,
  SqlResult,
} from "../driver/driver.ts";
import {
  type CompiledQuery,
  type ConnectionProvider,
  type DatabaseConnection,
  DefaultQueryExecutor,
  type Dialect,
  type DialectAdapter,
  type Driver,
  Kysely,
  MysqlAdapter,
  MysqlIntrospector,
  MysqlQueryCompiler,
  PostgresAdapter,
  PostgresIntrospector,
  PostgresQueryCompiler,
  type QueryCompiler,
  type QueryResult,
  SqliteAdapter,
  SqliteIntrospector,
  SqliteQueryCompiler,
  Transaction,
  type TransactionSettings,
} from "../kysely.ts";

/** Runs a query of kysely. */
export type RunQuery = (query: CompiledQuery, options: SqlQueryOptions) => Promise<SqlResult>;

/** A connection as kysely sees it. */
export class QueryConnection implements DatabaseConnection {
  readonly #run: RunQuery;
  /** The connection that transactions of kysely itself begin on; undefined where they cannot. */
  readonly connection: SqlConnection | undefined;

  constructor(run: RunQuery, connection?: SqlConnection) {
    this.#run = run;
    this.connection = connection;
  }

  async executeQuery<Row>(query: CompiledQuery, options: SqlQueryOptions = {}): Promise<QueryResult<Row>> {
    const { rows, affected, insertId } = await this.#run(query, options);
    return {
      rows: rows as Row[],
      ...(affected !== undefined && { numAffectedRows: affected }),
      ...(insertId !== undefined && { insertId }),
    };
  }

  // deno-lint-ignore require-yield -- it refuses
  async *streamQuery(): AsyncIterableIterator<never> {
    throw new TypeError("Cannot stream rows: a connection here answers whole queries. Read them in pages");
  }
}

/** Whether a query only reads, as far as its form tells. */
export function onlyReads({ query, sql }: CompiledQuery): boolean {
  return query.kind === "SelectQueryNode" ||
    query.kind === "RawNode" && /^\s*(?:select|explain|pragma)\b/i.test(sql);
}

/** Begins and ends the transactions that the users of kysely begin by `pool.transaction()`. */
class TransactionDriver implements Driver {
  async init(): Promise<void> {}

  acquireConnection(): Promise<DatabaseConnection> {
    return Promise.reject(new TypeError("Cannot take a connection: a provider gives it"));
  }

  async releaseConnection(): Promise<void> {}

  async destroy(): Promise<void> {}

  async beginTransaction(
    connection: DatabaseConnection,
    { isolationLevel, accessMode }: TransactionSettings = {},
  ): Promise<void> {
    if (isolationLevel === "snapshot") {
      throw new TypeError("Cannot begin a transaction: no database here has snapshots");
    }
    const isolation: SqlIsolation | undefined = isolationLevel;
    await inner(connection).begin({ isolation, writes: accessMode !== "read only" });
  }

  async commitTransaction(connection: DatabaseConnection): Promise<void> {
    await inner(connection).commit();
  }

  async rollbackTransaction(connection: DatabaseConnection): Promise<void> {
    await inner(connection).rollback();
  }

  async savepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await inner(connection).query(`savepoint ${name}`);
  }

  async rollbackToSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await inner(connection).query(`rollback to savepoint ${name}`);
  }

  async releaseSavepoint(connection: DatabaseConnection, name: string): Promise<void> {
    await inner(connection).query(`release savepoint ${name}`);
  }
}

function inner(connection: DatabaseConnection): SqlConnection {
  const { connection: own } = connection as QueryConnection;
  if (own === undefined) throw new TypeError("Cannot begin a transaction: this connection has one already");
  return own;
}

const ADAPTERS: Readonly<Record<SqlDialect, () => DialectAdapter>> = {
  postgres: () => new PostgresAdapter(),
  mysql: () => new MysqlAdapter(),
  sqlite: () => new SqliteAdapter(),
};

const COMPILERS: Readonly<Record<SqlDialect, () => QueryCompiler>> = {
  postgres: () => new PostgresQueryCompiler(),
  mysql: () => new MysqlQueryCompiler(),
  sqlite: () => new SqliteQueryCompiler(),
};

const INTROSPECTORS = {
  postgres: PostgresIntrospector,
  mysql: MysqlIntrospector,
  sqlite: SqliteIntrospector,
};

/** Makes instances of kysely for one database. */
export class KyselyFactory {
  readonly #dialect: Dialect;
  readonly #driver = new TransactionDriver();
  readonly #executor: DefaultQueryExecutor;

  constructor(dialect: SqlDialect) {
    const adapter = ADAPTERS[dialect]();
    const compiler = COMPILERS[dialect]();
    this.#dialect = {
      createAdapter: () => adapter,
      createDriver: () => this.#driver,
      createQueryCompiler: () => compiler,
      createIntrospector: (kysely) => new INTROSPECTORS[dialect](kysely),
    };
    this.#executor = new DefaultQueryExecutor(compiler, adapter, NO_CONNECTIONS);
  }

  /** Makes an instance whose queries run on any connection. */
  kysely<Database>(provider: ConnectionProvider): Kysely<Database> {
    return new Kysely<Database>(this.#props(provider));
  }

  /** Makes an instance whose queries all run in one transaction. */
  transaction<Database>(provider: ConnectionProvider): Transaction<Database> {
    return new Transaction<Database>(this.#props(provider));
  }

  #props(provider: ConnectionProvider) {
    return {
      config: { dialect: this.#dialect },
      dialect: this.#dialect,
      driver: this.#driver,
      executor: this.#executor.withConnectionProvider(provider),
    };
  }
}

const NO_CONNECTIONS: ConnectionProvider = {
  provideConnection() {
    throw new TypeError("Cannot run a query: nothing provides a connection");
  },
};

/** Makes the provider of one connection. */
export function providing(connection: DatabaseConnection): ConnectionProvider {
  return { provideConnection: (consume) => consume(connection) };
}
