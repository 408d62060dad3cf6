/** Databases for tests, each of its own and gone after it. */
import { createSqlHalf } from "../host.ts";
import { parseDatabaseUri } from "../driver/database_uri.ts";
import { openDriver } from "../driver/open_driver.ts";
import type { ConnectionProvider, Kysely } from "../kysely.ts";
import { ThreadConnections } from "../limit/thread_connections.ts";
import {
  type LazyMigration,
  type MigrationModule,
  Migrations,
  migrationsIn,
} from "../migration/migrations.ts";
import { ThreadDatabase } from "../query/thread_database.ts";
import { unitOfWork } from "../query/unit_of_work.ts";
import type { SqlSettings } from "../settings.ts";
import type { Sql } from "../sql.ts";
import type { TestDatabase, TestDatabaseOptions } from "./test_database.ts";

const SETTINGS: SqlSettings = {
  uris: {},
  uri: undefined,
  maxConnections: 10,
  idleTimeout: 60_000,
  statementTimeout: undefined,
  connectTimeout: 10_000,
};

/** What stands in for a call: nobody gives it up. */
const CALL = { signal: new AbortController().signal, deadline: undefined };

/** A place for one test, and what removes it. */
interface Place {
  readonly uri: string;
  /** Schema of PostgreSQL. */
  readonly schema?: string;
  remove(): Promise<void>;
}

/** Makes a database, as {@linkcode testDatabase} says. */
export async function makeTestDatabase<Database>(
  server: string,
  { migrations }: TestDatabaseOptions,
): Promise<TestDatabase<Database>> {
  const place = await PLACES[parseDatabaseUri(server).dialect](server);
  try {
    if (migrations !== undefined) {
      await using prepared = await Migrations.open(place.uri, await lazy(migrations), place.schema);
      await prepared.up();
    }
  } catch (error) {
    await place.remove();
    throw error;
  }
  return databaseAt<Database>(place);
}

function databaseAt<Database>({ uri, remove }: Place): TestDatabase<Database> {
  const half = createSqlHalf({ options: {} }, { service: "test", config: { SQL: uri } });
  const connections = new ThreadConnections({
    driver: openDriver(uri),
    settings: SETTINGS,
    host: {
      ask: (body, { signal } = {}) =>
        Promise.resolve(half.answer!(body, signal === undefined ? {} : { signal })),
      log: { debug() {} },
      callTimeout: 30_000,
    },
  });
  const database = new ThreadDatabase(uri, connections);
  const provider: ConnectionProvider = {
    provideConnection: (consume) => database.lend(CALL.signal, consume),
  };
  const kysely: Kysely<Database> = database.kyselys.kysely<Database>(provider);
  const sql: Sql<Database> = {
    session: database.kyselys.transaction<Database>(provider),
    pool: kysely,
    unitOfWork: (work, options = {}) => unitOfWork(database, CALL, work, options),
  };
  return {
    uri,
    kysely,
    sql,
    async [Symbol.asyncDispose]() {
      await database[Symbol.asyncDispose]();
      await half[Symbol.asyncDispose]?.();
      await remove();
    },
  };
}

async function lazy(
  migrations: NonNullable<TestDatabaseOptions["migrations"]>,
): Promise<readonly LazyMigration[]> {
  if (migrations instanceof URL) return await migrationsIn(migrations, (url) => import(url.href));
  return Object.entries(migrations).map(([name, module]: [string, MigrationModule]) => ({
    name,
    load: () => Promise.resolve(module),
  }));
}

const PLACES = {
  async postgres(server: string): Promise<Place> {
    const schema = newName();
    await run(server, `create schema ${schema}`);
    const uri = new URL(server);
    const options = [uri.searchParams.get("options"), `-c search_path=${schema}`].filter((each) =>
      each !== null
    );
    uri.searchParams.set("options", options.join(" "));
    return {
      uri: uri.href.replaceAll("+", "%20"),
      schema,
      remove: () => run(server, `drop schema ${schema} cascade`),
    };
  },
  async mysql(server: string): Promise<Place> {
    const name = newName();
    await run(server, `create database ${name}`);
    const uri = new URL(server);
    uri.pathname = `/${name}`;
    return { uri: uri.href, remove: () => run(server, `drop database ${name}`) };
  },
  async sqlite(): Promise<Place> {
    const folder = await Deno.makeTempDir({ prefix: "enoki-sql-" });
    return {
      uri: `sqlite:///${folder}/test.db`,
      remove: () => Deno.remove(folder, { recursive: true }),
    };
  },
};

function newName(): string {
  return `enoki_test_${crypto.randomUUID().replaceAll("-", "")}`;
}

async function run(uri: string, text: string): Promise<void> {
  await using connection = await openDriver(uri).connect();
  await connection.query(text);
}
