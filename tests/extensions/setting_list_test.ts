/** The list of all settings, held to the code that reads them. */
import { deepStrictEqual, ok } from "node:assert/strict";
import { isDeepStrictEqual } from "node:util";
import { DEFAULTS } from "../../extensions/amqp/transport.ts";
import { knownSettings } from "../../extensions/setting_list.ts";
import { Section, type Setting } from "../../runtime/config/section.ts";
import { isRecord, type Plain, type PlainRecord } from "../../runtime/message/plain.ts";
import { FETCH_LIMITS } from "../../runtime/module/fetch/fetcher.ts";
import { DEFAULT_LIMITS } from "../../runtime/pool/pool_options.ts";
import { DEFAULT_HEAP_LIMIT } from "../../runtime/spawning/create_spawner.ts";
import { READERS } from "../fixtures/guide/settings_readers.ts";
import { SOURCES } from "../fixtures/source_tree.ts";

const OWNERS = await knownSettings();
const KNOWN = new Map(OWNERS.flatMap(({ table }) => Object.entries(table)));

/** A configuration in which each mapping is there, with what it cannot do without. */
const FULL: PlainRecord = {
  AMQP_SSL: {},
  BAYEUX: {},
  CACHE: {},
  DB_URIS: { a: "sqlite::memory:" },
  HTTP_ASYNCAPI: {},
  HTTP_CORS: { origins: ["https://a.example"] },
  HTTP_OPENAPI: {},
  HTTP_TLS: { cert: "a.pem", key: "b.pem" },
  REDIS: { URI: "rediss://h", SSL: {} },
  REDIS_URIS: { a: { URI: "rediss://h", SSL: {} } },
  SENTRY: { CLIENT_CONFIG: {} },
  SERIALIZERS: { a: { built_in: "json" } },
  SQL: {},
  STATSD: {},
  STREAM_TLS: { cert: "a.pem", key: "b.pem" },
  TRANSPORT_OPTIONS: {},
  control: {},
  modules: { lock: "a.lock" },
  services: { a: { broker: {} } },
  telemetry: {},
};

/** What the readers ask for, as the table writes it. */
const NAMED = /^(DB_URIS|REDIS_URIS|SERIALIZERS|services)\.a(?=\.|$)/;

/** Keys that no reader of the list reads: which broker, which extensions, what Python logs. */
const READ_ELSEWHERE = ["AMQP_URI", "TRANSPORT", "extensions", "LOGGING"];

/** Wraps a configuration so that it notes the paths that somebody asks for. */
function noting(values: PlainRecord, asked: Set<string>, path = ""): PlainRecord {
  const copy: Record<string, Plain> = {};
  for (const [key, value] of Object.entries(values)) {
    copy[key] = isRecord(value) ? noting(value, asked, `${path}${key}.`) : value;
  }
  return new Proxy(copy, {
    getOwnPropertyDescriptor(target, key) {
      asked.add(`${path}${String(key)}`);
      return Reflect.getOwnPropertyDescriptor(target, key);
    },
  });
}

/** What a configuration means, with the defaults that are filled in later. */
function meaning(config: PlainRecord): unknown {
  return READERS.map((read) => {
    const value = read(new Section(config));
    if (!isRecord(value)) return value;
    const { options, limits, modules } = value as Readonly<Record<string, object>>;
    return {
      ...value,
      ...(options && { options: { ...DEFAULTS, ...options } }),
      ...(limits && { limits: { ...DEFAULT_LIMITS, heapLimit: DEFAULT_HEAP_LIMIT, ...limits } }),
      ...(modules && { modules: { ...FETCH_LIMITS, ...modules } }),
    };
  });
}

/** Puts a value at a path of a configuration. */
function withValue(config: PlainRecord, [key = "", ...rest]: readonly string[], value: Plain): PlainRecord {
  const name = key === "*" ? "a" : key;
  const inner = config[name];
  return {
    ...config,
    [name]: rest.length === 0
      ? value
      : withValue(isRecord(inner ?? null) ? inner as PlainRecord : {}, rest, value),
  };
}

/** The least that a key needs around it. */
function surroundings(path: readonly string[]): PlainRecord {
  const [top = ""] = path;
  return path.length > 1 && FULL[top] !== undefined ? { [top]: FULL[top] } : {};
}

function settingsOf(judge: (setting: Setting) => boolean): readonly (readonly [string, Setting])[] {
  return [...KNOWN].filter(([, setting]) => judge(setting));
}

Deno.test("every setting that somebody reads is in the list, and no other", () => {
  const asked = new Set<string>();
  for (const read of READERS) read(new Section(noting(FULL, asked)));
  const paths = new Set([...asked].map((path) => path.replace(NAMED, "$1.*")));
  const listed = [...KNOWN.keys()].filter((path) => !READ_ELSEWHERE.includes(path));
  deepStrictEqual([...paths].filter((path) => !KNOWN.has(path)).sort(), []);
  deepStrictEqual(listed.filter((path) => !paths.has(path)), []);
});

Deno.test("every key that a source file names where it reads settings is in the list", () => {
  const names = new Set([...KNOWN.keys()].flatMap((path) => path.split(".")));
  const reading =
    /\b(?:at|own|root|ssl|tls|cors|client|transport|control|options|server)\??\.(?:get|text|texts|flag|integer|milliseconds|section)\(\s*"([^"]+)"/g;
  const unknown = [...SOURCES.values()].filter(({ path }) => /(?:^|\/|_)settings\.ts$/.test(path)).flatMap((
    { path, text },
  ) =>
    [...text.matchAll(reading)].map(([, key]) => key!).filter((key) => !names.has(key)).map((key) =>
      `${path}: ${key}`
    )
  );
  deepStrictEqual(unknown, []);
});

Deno.test("the default in the list does what no value does", () => {
  for (const [path, { default: value }] of settingsOf((setting) => setting.default !== undefined)) {
    const keys = path.split(".");
    const around = surroundings(keys);
    deepStrictEqual(meaning(withValue(around, keys, value!)), meaning(around), path);
  }
});

Deno.test("every duration takes a text with a unit, and a number of seconds", () => {
  const durations = settingsOf(({ kind }) => kind === "duration");
  ok(durations.length > 25);
  for (const [path] of durations) {
    const keys = path.split(".");
    const around = surroundings(keys);
    const text = meaning(withValue(around, keys, "2s"));
    deepStrictEqual(text, meaning(withValue(around, keys, 2)), path);
    const isDefault = KNOWN.get(path)?.default === "2s";
    ok(isDefault || !isDeepStrictEqual(text, meaning(around)), `${path} has no effect`);
  }
});
