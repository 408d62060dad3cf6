import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { type Config, runtimeOptions, serviceOptions } from "../../../runtime/config/config.ts";

Deno.test("runtimeOptions() fills in Nameko's defaults", () => {
  deepStrictEqual(runtimeOptions({}), {
    maxWorkers: 10,
    concurrency: 1,
    callTimeout: 30_000,
    permissions: "none",
    limits: {},
    amqpUri: undefined,
    transport: undefined,
    http: {
      address: "0.0.0.0:8000",
      maxBody: 10 * 1024 * 1024,
      stallTimeout: 60_000,
      maxHeld: 256 * 1024 * 1024,
      tls: undefined,
      cors: undefined,
      health: true,
      openapi: undefined,
    },
    websocket: {
      maxMessage: 1024 * 1024,
      maxQueue: 100,
      maxBuffer: 1024 * 1024,
      maxClients: 10_000,
      idleTimeout: 30_000,
      origins: [],
    },
    rpcExchange: "nameko-rpc",
    parentCallsTracked: 10,
    heartbeat: 60_000,
    serializer: "json",
    accept: ["json"],
    loginMethod: undefined,
    amqpSsl: undefined,
    transportOptions: { maxRetries: 3, intervalStart: 2_000, intervalStep: 1_000, intervalMax: 5_000 },
    autoDeleteEventExchanges: false,
    declareEventExchanges: true,
    logging: undefined,
    modules: {},
    grace: 30_000,
    services: new Map(),
  });
});

Deno.test("runtimeOptions() takes null for absent", () => {
  const nulls = { AMQP_URI: null, max_workers: null, HEARTBEAT: null, AMQP_SSL: null, services: null };
  deepStrictEqual(runtimeOptions(nulls), runtimeOptions({}));
});

Deno.test("runtimeOptions() takes zero workers for the default", () => {
  strictEqual(runtimeOptions({ max_workers: 0 }).maxWorkers, 10);
});

Deno.test("runtimeOptions() refuses a serializer that nobody here speaks", () => {
  throws(() => runtimeOptions({ serializer: "pickle" }), /"serializer": got "pickle", expected json/);
  throws(
    () => runtimeOptions({ ACCEPT: ["pickle"] }),
    /"ACCEPT": got \["pickle"\], expected a list with json/,
  );
  deepStrictEqual(runtimeOptions({ ACCEPT: ["pickle", "json"] }).accept, ["pickle", "json"]);
});

Deno.test("runtimeOptions() reads the mapping of AMQP_SSL", () => {
  const ssl = { ca_certs: "ca.pem", certfile: "c.pem", keyfile: "k.pem", cert_reqs: "CERT_NONE" };
  deepStrictEqual(runtimeOptions({ AMQP_SSL: ssl }).amqpSsl, {
    caCerts: "ca.pem",
    certfile: "c.pem",
    keyfile: "k.pem",
    verify: false,
  });
});

Deno.test("serviceOptions() prefers the service's own settings", () => {
  const options = runtimeOptions({
    max_workers: 4,
    call_timeout: 1.5,
    permissions: { net: ["example.com"] },
    heap_limit: 256,
    idle_timeout: 10,
    services: { orders: { max_workers: 2, permissions: "all", idle_timeout: 0.5 }, constructor: null },
  });
  deepStrictEqual(serviceOptions(options, "orders"), {
    maxWorkers: 2,
    concurrency: 1,
    callTimeout: 1_500,
    permissions: "all",
    limits: { heapLimit: 256, idleTimeout: 500 },
  });
  strictEqual(serviceOptions(options, "toString").maxWorkers, 4);
});

const REFUSED: readonly (readonly [Config, string])[] = [
  [{ max_workers: "many" }, '"max_workers": got "many", expected an integer, 0 or more'],
  [{ max_workers: 1.5 }, '"max_workers": got 1.5, expected an integer, 0 or more'],
  [{ concurrency: 0 }, '"concurrency": got 0, expected an integer, 1 or more'],
  [
    { AMQP_URI: ["amqp://u:p@h"] },
    '"AMQP_URI": got ["amqp://u:********@h"], expected text that is not empty',
  ],
  [{ TRANSPORT: "tcp:" }, '"TRANSPORT": got "tcp:", expected memory:, local:, local:NAME or an amqp:// URI'],
  [{ HEARTBEAT: -1 }, '"HEARTBEAT": got -1, expected a number of seconds, 0 or more'],
  [{ LOGGING: true }, '"LOGGING": got true, expected a mapping'],
  [{ ACCEPT: "json" }, '"ACCEPT": got "json", expected a list of names'],
  [{ DECLARE_EVENT_EXCHANGES: 1 }, '"DECLARE_EVENT_EXCHANGES": got 1, expected true or false'],
  [
    { AMQP_SSL: { cert_reqs: "X" } },
    '"AMQP_SSL.cert_reqs": got "X", expected CERT_NONE, CERT_OPTIONAL or CERT_REQUIRED',
  ],
  [
    { services: { a: { max_workers: -1 } } },
    '"services.a.max_workers": got -1, expected an integer, 0 or more',
  ],
  [
    { services: { a: { permision: "none" } } },
    '"services.a.permision": got "none", expected nothing: the keys here are max_workers, concurrency, ' +
    "call_timeout, permissions, idle_timeout, load_timeout, stall_timeout, kill_grace, stop_timeout, " +
    "min_workers, heap_limit",
  ],
];

Deno.test("runtimeOptions() names the key, the value and what is expected", () => {
  for (const [config, problem] of REFUSED) {
    throws(() => runtimeOptions(config), {
      name: "ConfigurationError",
      message: `Cannot use config key ${problem}`,
    });
  }
});

Deno.test("runtimeOptions() refuses an unknown option of AMQP_SSL or permission", () => {
  throws(() => runtimeOptions({ AMQP_SSL: { cipher: "x" } }), /expected true or a mapping with ca_certs/);
  throws(
    () => runtimeOptions({ permissions: { nett: true } }),
    /config key "permissions": there is no permission "nett"/,
  );
});

Deno.test("runtimeOptions() waits for standing clients for ever where HTTP_STALL_TIMEOUT is 0", () => {
  strictEqual(runtimeOptions({ HTTP_STALL_TIMEOUT: 0 }).http.stallTimeout, Infinity);
  strictEqual(runtimeOptions({ HTTP_STALL_TIMEOUT: 2 }).http.stallTimeout, 2_000);
});
