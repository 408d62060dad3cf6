import { deepStrictEqual, rejects, strictEqual, throws } from "node:assert/strict";
import { bayeuxSettings } from "../../extensions/bayeux/settings.ts";
import { eventSettings } from "../../extensions/events/settings.ts";
import { redisSettings } from "../../extensions/redis/settings.ts";
import { Settings } from "../../extensions/settings.ts";
import { sqlSettings } from "../../extensions/sql/settings.ts";
import { resolveConfig } from "../../runtime/config/config.ts";
import { type Config, parseConfigText } from "../../runtime/config/file.ts";
import type { Section } from "../../runtime/config/section.ts";

Deno.test("Settings.read() names the broker: TRANSPORT, else AMQP_URI", async () => {
  strictEqual((await Settings.read({})).broker, undefined);
  strictEqual((await Settings.read({ AMQP_URI: "amqp://a" })).broker, "amqp://a");
  strictEqual((await Settings.read({ AMQP_URI: ["amqp://a", "amqp://b"] })).broker, "amqp://a;amqp://b");
  strictEqual((await Settings.read({ AMQP_URI: "amqp://a", TRANSPORT: "memory:" })).broker, "memory:");
});

const REFUSED: readonly (readonly [Config, RegExp])[] = [
  [
    { AMQP_URI: ["amqp://u:p@h", 1] },
    /"AMQP_URI": got \["amqp:\/\/u:\*{8}@h",1\], expected a URI or a list of URIs/,
  ],
  [{ AMQP_URI: [] }, /"AMQP_URI": got \[\], expected a URI or a list of URIs/],
  [
    { TRANSPORT: "tcp:" },
    /"TRANSPORT": got "tcp:", expected memory:, local:, local:NAME or an amqp:\/\/ URI/,
  ],
  [
    { serializer: "pickle" },
    /"serializer": got "pickle", expected json, msgpack.*: pickle is Python's alone/,
  ],
  [{ serializer: "raw" }, /"serializer": got "raw".*: raw is for a single message/],
  [{ serializer: "toString" }, /"serializer": got "toString", expected json, msgpack, messagepack$/],
  [{ ACCEPT: ["json", "pickle"] }, /"ACCEPT": got \["json","pickle"\], expected json/],
  [
    { serializer: "own", SERIALIZERS: { own: { encoder: "a.b", decoder: "a.c", content_type: "x/y" } } },
    /"serializer": got "own".*: the encoder and decoder of "own" are Python's\. Give it a built_in/,
  ],
  [
    { SERIALIZERS: { own: { module: "./own.ts", content_type: "x/y" } } },
    /"SERIALIZERS\.own": .*No module is loaded into the threads of all services/,
  ],
  [{ SERIALIZERS: { own: { built_in: "json", content_typ: "x/y" } } }, /"SERIALIZERS\.own\.content_typ"/],
  [{ bigints: 1 }, /"bigints": got 1, expected true or false/],
  [{ decompressed_limit: 0 }, /"decompressed_limit": got 0, expected an integer, 1 or more/],
  [{ ACCEPT: "json" }, /"ACCEPT": got "json", expected a list of names/],
  [{ LOGGING: true }, /"LOGGING": got true, expected a mapping/],
  [{ max_workers: "many" }, /"max_workers": got "many"/],
  [{ HEARTBEAT: -1 }, /"HEARTBEAT": got -1/],
  [{ DECLARE_EVENT_EXCHANGES: 1 }, /"DECLARE_EVENT_EXCHANGES": got 1/],
  [{ HTTP_MAX_BODY: "much" }, /"HTTP_MAX_BODY": got "much"/],
  [{ WEBSOCKET_MAX_QUEUE: 0 }, /"WEBSOCKET_MAX_QUEUE": got 0/],
  [{ rpc_exchange: 1 }, /"rpc_exchange": got 1/],
  [{ rpc_expiration: 0 }, /"rpc_expiration": got 0, expected true or false/],
  [{ RPC_DELIVERY: "quick" }, /"RPC_DELIVERY": got "quick", expected persistent or transient/],
  [{ RPC_DELIVERY: true }, /"RPC_DELIVERY": got true, expected persistent or transient/],
  [{ control: 1 }, /"control": got 1, expected true, false or a mapping with manage/],
  [{ control: { manages: true } }, /"control.manages": got true, expected nothing: the keys here are manage/],
];

Deno.test("Settings.read() refuses a wrong value of whichever owner, before anything is loaded", async () => {
  for (const [config, message] of REFUSED) {
    await rejects(Settings.read(config), { name: "ConfigurationError", message });
  }
});

Deno.test("Settings.of() reads the settings of an owner once", async () => {
  const settings = await Settings.read({ DECLARE_EVENT_EXCHANGES: false });
  let reads = 0;
  const reader = (at: Section) => ++reads && at.text("AMQP_URI");
  settings.of(reader);
  settings.of(reader);
  strictEqual(reads, 1);
  strictEqual(settings.of(eventSettings).declareExchanges, false);
});

Deno.test("Settings.read() remarks on a key that is nearly a known one, with its line", async () => {
  const text = "max_worker: 4\ntransport: 'memory:'\nGREETING: hello\nDB_URI: postgres://db\n";
  const config = await parseConfigText(text, {
    action: "Cannot read config file",
    env: { get: () => undefined },
    file: "app.yaml",
  });
  deepStrictEqual((await Settings.read(config)).remarks, [
    'Enoki knows no config key "max_worker" in line 1 of app.yaml. Did you mean "max_workers"?',
    'Enoki knows no config key "transport" in line 2 of app.yaml. Did you mean "TRANSPORT"?',
  ]);
});

Deno.test("Settings.read() remarks on what only Python's Nameko uses", async () => {
  const python = { encoder: "a.b", decoder: "a.c", content_type: "x/y", content_encoding: "utf-8" };
  const { remarks } = await Settings.read({
    SERIALIZERS: { python, ours: { built_in: "msgpack" } },
  });
  deepStrictEqual(
    remarks.map((remark) => /The .*?(\w+(?:\.\w+)?)"? (?:section )?is Python's/.exec(remark)?.[1]),
    ["SERIALIZERS.python"],
  );
});

Deno.test("Settings.read() says whether services are described", async () => {
  strictEqual((await Settings.read({ HTTP_OPENAPI: true })).describesServices, true);
  strictEqual((await Settings.read({ HTTP_ASYNCAPI: "/messages.json" })).describesServices, true);
  strictEqual((await Settings.read({ HTTP_OPENAPI: false })).describesServices, false);
});

/** A setting without which something else would be done than what is meant, and who reads it. */
const NEEDED: readonly (readonly [string, (settings: Settings) => unknown])[] = [
  ["AMQP_URI: ${URI}", (settings) => settings.broker],
  ["AMQP_URI: amqp://${URI}@host", (settings) => settings.broker],
  ["TRANSPORT: ${URI}", (settings) => settings.broker],
  ["SQL: ${URI}", (settings) => settings.of(sqlSettings)],
  ["DB_URIS: { a: $${URI} }", (settings) => settings.of(sqlSettings)],
  ["REDIS: ${URI}", (settings) => settings.of(redisSettings)],
  ["REDIS_URIS: { a: $${URI} }", (settings) => settings.of(redisSettings)],
  ["BAYEUX: { SERVER_URI: $${URI} }", (settings) => settings.of(bayeuxSettings)],
];

Deno.test("a variable that is not set ends the start where its setting is needed", async () => {
  for (const [text, use] of NEEDED) {
    const define = text.replace(/^(\w+): /, "$1=").replace("$${URI}", '!env_var "${URI}"');
    const remarks: string[] = [];
    const config = await resolveConfig({
      env: new Map(),
      define: [define],
      onRemark: (text) => remarks.push(text),
    });
    const settings = await Settings.read(config);
    strictEqual(remarks.length, 1, text);
    throws(() => use(settings), {
      name: "ConfigurationError",
      message:
        /^Cannot use config key "\w+(\.\w+)?": variable "URI" is not set\. Set it, or name a default: \$\{URI:default\}$/,
    }, text);
  }
});

Deno.test("a setting that is refused says which variable it lacks, and a broker that is not used lacks nothing", async () => {
  const env = new Map();
  const onRemark = () => {};
  const tls = await resolveConfig({
    env,
    define: ['HTTP_TLS={ cert: !env_var "${CERT}", key: a.pem }'],
    onRemark,
  });
  await rejects(Settings.read(tls), /"HTTP_TLS": .*, expected a mapping .*: variable "CERT" is not set/);
  const other = await resolveConfig({
    env,
    define: ["AMQP_URI=${URI}"],
    flags: { TRANSPORT: "memory:" },
    onRemark,
  });
  strictEqual((await Settings.read(other)).broker, "memory:");
});
