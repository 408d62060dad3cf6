import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { databaseOf, sqlSettings } from "../../../extensions/sql/settings.ts";
import { Section } from "../../../runtime/config/section.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { maskSecrets } from "../../../runtime/log/secrets.ts";

const read = (values: PlainRecord) => sqlSettings(new Section(values));

const ORDERS = "postgres://ada:secret@db.example/orders";
const MAIL = "mysql+pymysql://ada:secret@db.example/mail";

Deno.test("a service has the database that DB_URIS names for it, else that of SQL", () => {
  const settings = read({ DB_URIS: { orders: ORDERS, "mail:Base": MAIL }, SQL: "sqlite:///rest.db" });
  strictEqual(databaseOf(settings, "orders", undefined), ORDERS);
  strictEqual(databaseOf(settings, "orders", "Base"), ORDERS);
  strictEqual(databaseOf(settings, "mail", "Base"), MAIL);
  strictEqual(databaseOf(settings, "other", undefined), "sqlite:///rest.db");
});

Deno.test("SQL is a URI, or a mapping with limits", () => {
  const limits = { MAX_CONNECTIONS: 3, IDLE_TIMEOUT: 2, STATEMENT_TIMEOUT: 0.5, CONNECT_TIMEOUT: 1 };
  deepStrictEqual(read({ SQL: { URI: ORDERS, ...limits } }), {
    uris: {},
    uri: ORDERS,
    maxConnections: 3,
    idleTimeout: 2_000,
    statementTimeout: 500,
    connectTimeout: 1_000,
  });
  const { uri, maxConnections, idleTimeout, statementTimeout, connectTimeout } = read({ SQL: ORDERS });
  deepStrictEqual([uri, maxConnections, idleTimeout, statementTimeout, connectTimeout], [
    ORDERS,
    20,
    60_000,
    undefined,
    10_000,
  ]);
});

Deno.test("what makes no sense is refused by a sentence without a password", () => {
  const cases: readonly (readonly [values: PlainRecord, message: RegExp])[] = [
    [{ SQL: 7 }, /^Cannot use config key "SQL": got 7, expected the URI of a database/],
    [{ SQL: "oracle://ada:secret@h/d" }, /^Cannot use config key "SQL": .*its scheme is not known/],
    [{ SQL: { URL: ORDERS } }, /^Cannot use config key "SQL\.URL": .*the keys here are URI, MAX_CONNECTIONS/],
    [{ SQL: { MAX_CONNECTIONS: 0 } }, /expected an integer, 1 or more/],
    [{ DB_URIS: { orders: "postgres://ada:secret@h/d?x=1" } }, /^Cannot use config key "DB_URIS\.orders"/],
  ];
  for (const [values, message] of cases) {
    throws(() => read(values), (error: Error) => {
      match(error.message, message);
      return error.name === "ConfigurationError" && !error.message.includes("secret");
    });
  }
});

Deno.test("a service without a database is told what to write where", () => {
  throws(() => databaseOf(read({}), "orders", undefined), {
    name: "ConfigurationError",
    message: 'Cannot find the database of service "orders": the configuration has neither SQL nor ' +
      'DB_URIS["orders"]. Give one of them a URI such as postgres://user@host/database',
  });
  throws(
    () => databaseOf(read({ DB_URIS: { "orders:Base": ORDERS } }), "orders", undefined),
    /DB_URIS has "orders:Base": name it with sql\(\{ name: "Base" \}\)$/,
  );
});

Deno.test("a printed configuration has no password of a database", () => {
  const shown = JSON.stringify(
    maskSecrets({ DB_URIS: { orders: ORDERS, "mail:Base": MAIL }, SQL: { URI: ORDERS } }),
  );
  strictEqual(shown.includes("secret"), false);
  match(shown, /postgres:\/\/ada:\*+@db\.example\/orders/);
});
