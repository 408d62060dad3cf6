/** Every duration of an option may be a text with units, and becomes the number that manifests and messages have. */
import { deepStrictEqual, throws } from "node:assert/strict";
import {
  client,
  consume,
  cron,
  type DependencySpec,
  type EntrypointSpec,
  event,
  http,
  queue,
  requester,
  Retry,
  rpc,
  stream,
  timer,
  websocket,
} from "../../mod.ts";
import { amqp } from "../../extensions/amqp/mod.ts";
import { bayeux } from "../../extensions/bayeux/mod.ts";
import { cache, cachedClient } from "../../extensions/cache/mod.ts";
import { callPolicy } from "../../extensions/cache/call_policy.ts";
import { lifetime, storeOptions } from "../../extensions/cache/cache_options.ts";
import { seconds } from "../../extensions/cli/command_options.ts";
import { eventMessage } from "../../extensions/events/event_message.ts";
import { outgoingMessage } from "../../extensions/messaging/outgoing_message.ts";
import { lock, redis, subscription } from "../../extensions/redis/mod.ts";
import { sendingOf } from "../../extensions/rpc/sending.ts";
import { sql } from "../../extensions/sql/mod.ts";
import { connectSocket } from "../../extensions/websocket/client.ts";
import { Section } from "../../runtime/config/section.ts";
import { onceOptions, oncePolicy } from "../../runtime/service/effects/once.ts";
import { FileWatch } from "../../runtime/serving/file_watch.ts";
import { runtimeSettings } from "../../runtime/serving/settings.ts";
import type { Duration } from "../../runtime/waiting/duration.ts";

type Spec = EntrypointSpec<string, never[], unknown> | DependencySpec<unknown>;

/** An option, what its duration becomes, and that for a duration of 90 s. */
const OPTIONS: readonly (readonly [string, (given: Duration) => unknown, unknown])[] = [
  ["rpc", (timeout) => optionsOf(rpc({ timeout })), { timeout: 90_000 }],
  [
    "event",
    (timeout) => optionsOf(event("a", "b", { timeout, retry: { backoff: timeout } }), "timeout", "retry"),
    { timeout: 90_000, retry: { max: 20, initial: 90_000, factor: 1, limit: 90_000 } },
  ],
  [
    "retry.backoff",
    (limit) => optionsOf(rpc({ retry: { backoff: { initial: limit, limit } } })),
    { retry: { max: 20, initial: 90_000, factor: 2, limit: 90_000 } },
  ],
  ["Retry", (after) => new Retry({ after }).data, { after: 90_000 }],
  ["consume", (timeout) => optionsOf(consume(queue("q"), { timeout }), "timeout"), { timeout: 90_000 }],
  ["http", (timeout) => optionsOf(http("GET", "/", { timeout }), "timeout"), { timeout: 90_000 }],
  ["websocket", (timeout) => optionsOf(websocket({ timeout }), "timeout"), { timeout: 90_000 }],
  ["timer", (given) => optionsOf(timer({ interval: given })), { interval: 90, eager: false }],
  ["cron", (timeout) => optionsOf(cron("@daily", { timeout }), "timeout"), { timeout: 90_000 }],
  ["bayeux", (timeout) => optionsOf(bayeux("/a", { timeout }), "timeout"), { timeout: 90_000 }],
  ["subscription", (timeout) => optionsOf(subscription("a", { timeout }), "timeout"), { timeout: 90_000 }],
  [
    "stream",
    (given) => optionsOf(stream({ listen: "tcp://h:0", idleTimeout: given }).received({ timeout: given })),
    { listen: "tcp://h:0", framing: "bytes", idleTimeout: 90_000, event: "received", timeout: 90_000 },
  ],
  [
    "the policies of a client",
    (given) => {
      const policies = { retry: { delay: given, attemptTimeout: given }, circuit: { open: given } };
      const options = optionsOf(client("a", { timeout: given, idempotent: true, ...policies }));
      return (options as { readonly all: unknown }).all;
    },
    {
      idempotent: true,
      retry: { max: 2, delay: 90_000, factor: 2, jitter: 0.5, attemptTimeout: 90_000, on: [] },
      circuit: { failures: 5, open: 90_000, halfOpen: 1, on: [] },
    },
  ],
  [
    "the expiration of a request",
    (expiration) =>
      sendingOf({ expiration }).request({ service: "a", method: "b", headers: {} }, [], {}).properties,
    { expiration: 90_000 },
  ],
  [
    "the expiration of an event",
    (expiration) => eventMessage("a", "b", 1, { expiration }).properties?.expiration,
    "90000",
  ],
  [
    "the expiration of a message",
    (expiration) => outgoingMessage(1, { expiration }, {}).properties?.expiration,
    "90000",
  ],
  ["requester", (timeout) => requester({ timeout }).kind, "requester"],
  [
    "queue",
    (given) => queue("q", { messageTtl: given, expires: given }).topology.queues?.[0]?.arguments,
    { "x-message-ttl": 90_000, "x-expires": 90_000 },
  ],
  [
    "a stream of RabbitMQ",
    (maxAge) => queue("q", { type: "stream", maxAge }).topology.queues?.[0]?.arguments,
    { "x-queue-type": "stream", "x-max-age": "90s" },
  ],
  ["redis", (timeout) => redis({ timeout }).kind, undefined],
  ["lock", (ttl) => lock({ ttl, wait: ttl }).kind, undefined],
  ["cache", (ttl) => lifetime("a cache", { ttl, staleFor: ttl }), { ttl: 90_000, staleFor: 90_000 }],
  [
    "the store of a cache",
    (given) => storeOptions("a cache", { near: { for: given }, loadLimit: given }, []).thread,
    { near: { entries: 1_000, bytes: 8_388_608, for: 90_000 }, loadLimit: 90_000 },
  ],
  [
    "the fallback of a cached client",
    (given) => callPolicy("a", { fallback: { for: given, after: given } }).fallback,
    { for: 90_000, after: 90_000, expected: [] },
  ],
  ["once", (given) => onceOptions(oncePolicy({ for: given }, "try")!), { for: 90 }],
  [
    "sql",
    (given) => optionsOf(sql({ outbox: { pollInterval: given }, inbox: { purgeInterval: given } })),
    { outbox: { pollInterval: 90_000 }, inbox: { purgeInterval: 90_000 } },
  ],
  [
    "the threads of a program",
    (given) => runtimeSettings(new Section({}), { idleTimeout: given, killGrace: given }).limits,
    { idleTimeout: 90_000, killGrace: 90_000 },
  ],
  [
    "the transport to RabbitMQ",
    (heartbeat) => typeof amqp("amqp://h", { heartbeat, retryStep: heartbeat }),
    "object",
  ],
  ["the watch for changes", (settleTime) => void new FileWatch({ settleTime }), undefined],
  ["a flag of a command", (given) => seconds(String(given)), 90],
];

/** The options of a spec, or only some of them. */
function optionsOf(spec: object, ...names: readonly string[]): unknown {
  const { options } = spec as Spec;
  if (names.length === 0) return options;
  return Object.fromEntries(names.map((name) => [name, options?.[name]]));
}

Deno.test("every duration of an option may be a text with units", () => {
  const given = OPTIONS.map(([name, become]) => [name, become("1m30s")]);
  deepStrictEqual(given, OPTIONS.map(([name, , expected]) => [name, expected]));
});

Deno.test("a text that is no duration is refused with the forms that there are", () => {
  for (const [name, become] of OPTIONS) {
    throws(() => become("2 secs" as Duration), /a text such as "500ms"|maxAge is "2 secs"/, name);
  }
});

Deno.test("the client of a browser takes texts, though it has no import", () => {
  throws(() => connectSocket("ws://h/", { timeout: "2 secs" as Duration }), {
    name: "RangeError",
    message: 'Cannot connect: timeout must be milliseconds, or a text such as "500ms" or "30s", got 2 secs',
  });
  throws(
    () => connectSocket("ws://h/", { timeout: "30s", retryAfter: "1m30s", retryLimit: "" as Duration }),
    {
      message: /retryLimit must be/,
    },
  );
});

Deno.test("cached clients and caches check their times where they are declared", () => {
  throws(() => cache({ ttl: "2 secs" as Duration }), RangeError);
  throws(() => cachedClient("a", { first: { ttl: "2 secs" as Duration }, methods: ["b"] }), RangeError);
});
