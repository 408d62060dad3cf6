import { deepStrictEqual, equal, match, throws } from "node:assert/strict";
import { serverOf } from "../../../extensions/redis/settings.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";

const wanted = { service: "orders", used: "redis()" };
const server = (config: PlainRecord, name?: string) =>
  serverOf(config, { ...wanted, name, used: name === undefined ? "redis()" : `redis("${name}")` });

Deno.test("a URI says host, port, login, database and TLS", () => {
  const [plain] = server({ REDIS: "redis://ann:p%40ss@cache.example:7000/3" }).addresses;
  deepStrictEqual(
    [plain.host, plain.port, plain.username, plain.password, plain.database, plain.secure],
    ["cache.example", 7000, "ann", "p@ss", 3, false],
  );
  const [short] = server({ REDIS: "redis://[::1]" }).addresses;
  deepStrictEqual([short.host, short.port, short.username, short.database], ["::1", 6379, undefined, 0]);
  const { addresses: [secure], tls } = server({
    REDIS: "rediss://a?db=2&ssl_ca_certs=/ca.pem&ssl_cert_reqs=none",
  });
  deepStrictEqual([secure.database, secure.secure, tls?.ca, tls?.verify], [2, true, "/ca.pem", false]);
});

Deno.test("REDIS_URIS has servers by name, as with nameko-redis: that of the service, or the one that is named", () => {
  const config = { REDIS: "redis://all", REDIS_URIS: { orders: "redis://own", carts: "redis://other" } };
  equal(server(config).addresses[0].host, "own");
  equal(server(config, "carts").addresses[0].host, "other");
  equal(serverOf(config, { service: "mails", used: "redis()" }).addresses[0].host, "all");
});

Deno.test("several URIs are a cluster, and one is if the configuration says so", () => {
  equal(server({ REDIS: ["redis://a", "redis://b"] }).isCluster, true);
  equal(server({ REDIS: "redis://a,redis://b" }).addresses.length, 2);
  equal(server({ REDIS: { URI: "redis://a", CLUSTER: true } }).isCluster, true);
  equal(server({ REDIS: "redis://a" }).isCluster, false);
});

Deno.test("what people read of a server has no password", () => {
  equal(server({ REDIS: "redis://u:secret@h:1/2?db=3" }).shown, "redis://u:********@h:1/3");
  equal(server({ REDIS: "redis://:secret@h" }).shown, "redis://:********@h:6379");
});

Deno.test("a wrong setting is refused with its key and what is right, without its secrets", () => {
  const wrong: readonly (readonly [PlainRecord, RegExp])[] = [
    [{ REDIS: "http://u:secret@h" }, /"REDIS": got .*its scheme is http:\/\/$/],
    [{ REDIS: "localhost" }, /"REDIS": got "localhost", expected redis:\/\/.*it is not a URI$/],
    [{ REDIS: "redis://u:secret@h/x" }, /its path is not the number of a database$/],
    [{ REDIS: "redis://u:secret@h?x=1" }, /its options are not known: there are db, ssl_ca_certs/],
    [{ REDIS: "redis://h?ssl_ca_certs=x" }, /its options for TLS need rediss:\/\/$/],
    [{ REDIS: "redis://u:sec%ret@h" }, /Write %25 for it$/],
    [{ REDIS: ["redis://u:secret@a", "rediss://b"] }, /rediss:\/\/ in all$/],
    [{ REDIS: ["redis://a/1", "redis://b"] }, /a cluster has only the database 0$/],
    [
      { REDIS: { URI: "redis://a", SSL: { ca_certs: "x" } } },
      /"REDIS\.SSL": .* expected rediss:\/\/ in URI$/,
    ],
    [{ REDIS: { URI: "rediss://a", SSL: { ca: "x" } } }, /the keys here are .*ca_certs/],
    [
      { REDIS: { URI: "redis://a", TIMEOUT: 1 } },
      /"REDIS\.TIMEOUT": .*the keys here are URI, CONNECT_TIMEOUT/,
    ],
    [{ REDIS: { CLUSTER: true } }, /expected redis:\/\/.*a mapping with URI$/],
    [{ REDIS_URIS: "redis://a" }, /"REDIS_URIS": .* expected a mapping$/],
    [{ REDIS_URIS: { carts: 5 } }, /"REDIS_URIS\.carts": got 5/],
  ];
  for (const [config, message] of wrong) {
    throws(() => server(config), (error: Error) => {
      equal(error.name, "ConfigurationError");
      match(error.message, message);
      equal(error.message.includes("secret"), false, error.message);
      return true;
    });
  }
});

Deno.test("a setting that is missing is told with what to add", () => {
  throws(() => server({}), {
    name: "ConfigurationError",
    message:
      'Cannot use redis() in "orders": the configuration has no REDIS. Add REDIS: redis://127.0.0.1:6379',
  });
  throws(() => server({ REDIS_URIS: { carts: "redis://a" } }), {
    message: /no REDIS, and REDIS_URIS has no "orders"/,
  });
  throws(() => server({ REDIS: "redis://a", REDIS_URIS: { carts: "redis://a" } }, "cart"), {
    message: /no "cart" in REDIS_URIS, which has carts\. Add REDIS_URIS: \{ cart: redis:/,
  });
  throws(() => serverOf({ REDIS: ["redis://a", "redis://b"] }, { ...wanted, cluster: false }), {
    message: /names a cluster\. Declare redis\(\{ cluster: true \}\)$/,
  });
  throws(() => serverOf({ REDIS: "redis://a" }, { ...wanted, cluster: true }), {
    message: /names one Redis\./,
  });
});
