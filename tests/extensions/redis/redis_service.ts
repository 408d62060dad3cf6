/** Services that use Redis in the ways that the tests look at. */
import { type Call, rpc, service } from "../../../mod.ts";
import { type HeldLock, lock, redis, subscription } from "../../../extensions/redis/mod.ts";

/** Text before the keys, so that tests do not meet on a shared Redis. */
const keyOf = (call: Call, key: string) => `${call.headers["prefix"]}:${key}`;

export const keeper = service("keeper", {
  dependencies: { redis: redis(), raw: redis({ encoding: "bytes" }), hasty: redis({ timeout: 50 }) },
  entrypoints: {
    put: rpc(),
    get: rpc(),
    bytes: rpc(),
    transact: rpc(),
    scan: rpc(),
    connection: rpc(),
    forget: rpc(),
    close: rpc(),
    block: rpc({ timeout: 300 }),
    hurry: rpc(),
    wrongType: rpc(),
    echo: rpc(),
  },
  handlers: {
    put: ({ redis, call }, key: string, value: string) => redis.set(keyOf(call, key), value),
    get: ({ redis, call }, key: string) => redis.get(keyOf(call, key)),
    async bytes({ raw, call }, key: string) {
      await raw.set(keyOf(call, key), Buffer.from([0, 200]));
      const got: Buffer | null = await raw.get(keyOf(call, key));
      return [...got ?? []];
    },
    transact: ({ redis, call }, key: string) =>
      redis.multi().set(keyOf(call, key), "1").incr(keyOf(call, key)).exec(),
    async scan({ redis, call }) {
      const found: string[] = [];
      for await (const keys of redis.scanIterator({ MATCH: `${call.headers["prefix"]}:*` })) {
        found.push(...keys);
      }
      return found.length;
    },
    connection: ({ redis }) => redis.sendCommand(["CLIENT", "ID"]),
    forget({ redis, call }, key: string) {
      redis.incr(keyOf(call, key));
      return "done";
    },
    close: ({ redis }) => redis.destroy(),
    async block({ redis, call }) {
      await redis.blPop(keyOf(call, "nothing"), 0).catch((error: Error) =>
        call.log.info(`ended by ${error.name}`)
      );
    },
    hurry: ({ hasty, call }) => hasty.blPop(keyOf(call, "nothing"), 0.1),
    async wrongType({ redis, call }, key: string) {
      await redis.lPush(keyOf(call, key), "x");
      return await redis.get(keyOf(call, key));
    },
    echo: ({ redis }, text: string) => redis.echo(text),
  },
});

export const clustered = service("clustered", {
  dependencies: { redis: redis({ cluster: true, timeout: 1_000 }), lock: lock() },
  entrypoints: { put: rpc(), get: rpc(), masters: rpc(), publish: rpc(), take: rpc() },
  handlers: {
    async take({ lock }, name: string) {
      await using held = await lock(name, { wait: 0 });
      return held.fence;
    },
    put: ({ redis }, key: string, value: string) => redis.set(key, value),
    get: ({ redis }, key: string) => redis.get(key),
    masters: ({ redis }) => redis.masters.length,
    publish: ({ redis }, channel: string, message: string) => redis.publish(channel, message),
  },
});

/** Nothing of the test but the messages of channels and what the test asks for. */
export const listener = service("listener", {
  entrypoints: {
    json: subscription<{ n: number }>("test.json"),
    text: subscription("test.text", { format: "text" }),
    bytes: subscription("test.bytes", { format: "bytes" }),
    pattern: subscription({ pattern: "any.*", format: "text" }),
  },
  handlers: {
    json: ({ call }, { n }, { channel }) => call.log.info(`json ${n} of ${channel}`),
    text: ({ call }, text) => call.log.info(`text ${text}`),
    bytes: ({ call }, bytes) => call.log.info(`bytes ${[...bytes]}`),
    pattern: ({ call }, text, { channel, pattern }) =>
      call.log.info(`pattern ${text} of ${channel} by ${pattern}`),
  },
});

/** Handlers that end when the test sets a key of the name of their method. */
export const slow = service("slow", {
  dependencies: { redis: redis() },
  entrypoints: {
    oldest: subscription("slow.oldest", { limit: 2 }),
    newest: subscription("slow.newest", { limit: 2, drop: "newest" }),
  },
  handlers: {
    async oldest({ call, redis }, n) {
      call.log.info(`oldest ${n}`);
      while (await redis.get("oldest") === null) await new Promise((resolve) => setTimeout(resolve, 5));
    },
    async newest({ call, redis }, n) {
      call.log.info(`newest ${n}`);
      while (await redis.get("newest") === null) await new Promise((resolve) => setTimeout(resolve, 5));
    },
  },
});

/** Locks that are held from one call to another are none, so each call says what it does with its lock. */
export const locker = service("locker", {
  dependencies: { lock: lock({ ttl: 500, wait: 0 }), redis: redis() },
  entrypoints: {
    take: rpc(),
    hold: rpc(),
    forget: rpc(),
    unawaited: rpc(),
    lose: rpc(),
    release: rpc(),
    die: rpc(),
  },
  handlers: {
    async take({ lock }, name: string, wait: number) {
      await using held = await lock(name, { wait });
      return held.fence;
    },
    /** Holds a lock until a text is pushed to a list. */
    async hold({ lock, redis, call }, name: string) {
      await using held = await lock(name);
      call.log.info(`holds ${name}`);
      while (await redis.rPop(`${name}:go`) === null) {
        held.signal.throwIfAborted();
        await new Promise((resolve) => setTimeout(resolve, 5));
      }
      return held.signal.aborted;
    },
    async forget({ lock }, name: string) {
      await lock(name);
    },
    unawaited({ lock }, name: string) {
      lock(name, { wait: 60_000 });
    },
    async lose({ lock, redis }, name: string) {
      await using held: HeldLock = await lock(name);
      await redis.del(`{enoki:lock:${name}}`);
      const lost = new Promise((resolve) => held.signal.addEventListener("abort", resolve));
      await lost;
      return String(held.signal.reason.name);
    },
    /** Releases a lock that another has taken by now, before its thread knows it. */
    async release({ lock, redis }, name: string) {
      const held = await lock(name);
      await redis.set(`{enoki:lock:${name}}`, "another");
      await held.release();
    },
    async die({ lock }, name: string) {
      await lock(name);
      Deno.exit(1);
    },
  },
});
