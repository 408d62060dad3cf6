import { deepStrictEqual, throws } from "node:assert/strict";
import { parseDatabaseUri } from "../../../../extensions/sql/driver/database_uri.ts";

const PLACE = { host: "db.example", port: undefined, user: "ada", password: "p@ss", database: "orders" };

Deno.test("the scheme of a URI chooses the database, and a driver of Python has no effect", () => {
  const dialects = [
    ["postgres", "postgres"],
    ["postgresql", "postgres"],
    ["postgresql+psycopg2", "postgres"],
    ["mysql", "mysql"],
    ["mariadb", "mysql"],
    ["mysql+pymysql", "mysql"],
  ];
  for (const [scheme, dialect] of dialects) {
    const { dialect: read, host, port, user, password, database } = parseDatabaseUri(
      `${scheme}://ada:p%40ss@db.example/orders`,
    );
    deepStrictEqual([read, { host, port, user, password, database }], [dialect, PLACE]);
  }
});

Deno.test("a URI of SQLite is a file or memory, with slashes as SQLAlchemy has them", () => {
  const files = [
    ["sqlite:///orders.db", "orders.db"],
    ["sqlite:////var/orders.db", "/var/orders.db"],
    ["sqlite::memory:", ":memory:"],
    ["sqlite://", ":memory:"],
    ["sqlite+pysqlite:///:memory:", ":memory:"],
  ];
  for (const [uri, database] of files) deepStrictEqual(parseDatabaseUri(uri!).database, database);
});

Deno.test("a URI that makes no sense is refused by a sentence without its password", () => {
  const cases: readonly (readonly [uri: string, reason: RegExp])[] = [
    ["oracle://u:hidden@h/d", /its scheme is not known/],
    ["orders", /its scheme is not known/],
    ["postgres:orders", /it is no URI/],
    ["postgres:///orders", /it names no host/],
    [
      "postgres://u:hidden@h/d?colour=red",
      /its parameter "colour" has no meaning here, only application_name/,
    ],
    ["postgres://u:hidden@h/d?sslmode=prefer", /its sslmode is none of disable, require, verify-full/],
    ["mysql://u:hid%den@h/d", /it has a % that begins no character/],
    ["sqlite:orders.db", /it names no file/],
  ];
  for (const [uri, reason] of cases) {
    throws(() => parseDatabaseUri(uri), (error: Error) => {
      deepStrictEqual([error.name, reason.test(error.message)], ["ConfigurationError", true], error.message);
      return !/hid/.test(error.message) && /Give a URI such as postgres:/.test(error.message);
    });
  }
});
