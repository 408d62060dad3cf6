import { deepStrictEqual, equal, match, notEqual, ok, rejects } from "node:assert/strict";
import { Buffer } from "node:buffer";
import { once } from "node:events";
import type { RedisConnection } from "../../../extensions/redis/connection.ts";
import { pause } from "../../../runtime/waiting/abort.ts";
import type { Plain } from "../../../runtime/message/plain.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { PrivateRedis } from "../../fixtures/private_redis.ts";
import { SeverableProxy } from "../../fixtures/severable_proxy.ts";
import { hold } from "./redis_stage.ts";

/** Resolves when a connection is back. */
const back = (connection: RedisConnection) =>
  new Promise<void>((resolve) => connection.listeners.add({ onAway() {}, onBack: resolve }));

const UNAVAILABLE = { name: "RedisUnavailableError", code: "REDIS_UNAVAILABLE", retryable: true };

Deno.test("a connection to Redis", async (test) => {
  await using redis = await PrivateRedis.open();
  if (redis === undefined) return;
  const { uri } = redis;

  await test.step("sends text and bytes, and gives replies as text or as bytes", async () => {
    await using held = hold(uri);
    equal(await held.connection.command(["SET", "k", new Uint8Array([0, 255])], { key: "k" }), "OK");
    deepStrictEqual(await held.connection.command(["GET", "k"], { bytes: true }), Buffer.from([0, 255]));
    equal(await held.connection.command(["DEL", "k"]), 1);
  });

  await test.step("is shared by all who name the same server, and closed with the last of them", async () => {
    await using first = hold(uri);
    {
      await using second = hold(uri);
      equal(second.connection, first.connection);
      await using other = hold(`${uri}/1`);
      notEqual(other.connection, first.connection);
    }
    equal(await first.connection.command(["PING"]), "PONG");
    await first[Symbol.asyncDispose]();
    await rejects(first.connection.command(["PING"]), UNAVAILABLE);
    await using next = hold(uri);
    notEqual(next.connection, first.connection);
  });

  await test.step("that is closed while it is made leaves nothing open", async () => {
    await using other = hold(`${uri}/2`);
    await other.connection.command(["PING"]);
    for (let turns = 0; turns < 12; turns++) {
      await using held = hold(`${uri}/1`);
      await held.connection.client;
      for (let turn = 0; turn < turns; turn++) await new Promise((resolve) => setTimeout(resolve));
    }
    const clients = String(await other.connection.command(["CLIENT", "LIST"]));
    equal(clients.trim().split("\n").length, 1, clients);
  });

  await test.step("passes on what Redis answers as an error", async () => {
    await using held = hold(uri);
    await rejects(held.connection.command(["NOSUCH"]), { message: /^ERR unknown command/ });
  });

  await test.step("ends a wait with the signal, and after its time", async () => {
    await using held = hold(uri);
    const stop = new AbortController();
    const stopped = held.connection.command(["BLPOP", "nothing", "0"], { signal: stop.signal });
    stop.abort(new Error("enough"));
    await rejects(stopped, { message: "enough" });
    await rejects(held.connection.command(["PING"], { timeout: 20 }), {
      ...UNAVAILABLE,
      message: `Cannot run PING on Redis at ${uri}: no answer within 0.02 s`,
    });
  });

  await test.step("fails commands while Redis is away, at once, and is back when Redis is", async () => {
    await using held = hold(uri);
    const { connection } = held;
    const waiting = connection.command(["BLPOP", "nothing", "0"]);
    await connection.run(() => Promise.resolve(), { action: "nothing" });
    const lost = rejects(waiting, {
      ...UNAVAILABLE,
      message: /the connection was lost, and Redis may have run it/,
    });
    await redis.kill();
    await lost;
    // A first attempt may still reach a server that is about to die.
    while (!/connection refused/.test(await connection.command(["PING"]).catch(String) as string)) {
      await pause(5);
    }
    const start = performance.now();
    await rejects(connection.command(["PING"]), {
      message: `Cannot run PING on Redis at ${uri}: connection refused. Start Redis there, or correct REDIS`,
    });
    ok(performance.now() - start < 1_000);
    const isBack = back(connection);
    await redis.start();
    await isBack;
    equal(await connection.command(["PING"]), "PONG");
  });

  await test.step("that is cut waits for the next one instead of failing", async () => {
    await using proxy = await SeverableProxy.open(uri);
    await using held = hold(proxy.uri.replace(/\/$/, ""));
    const { connection } = held;
    for (let cuts = 0; cuts < 3; cuts++) {
      equal(await connection.command(["PING"]), "PONG");
      const loss = connection.run((client) => once(client, "terminated"), { action: "nothing" });
      await connection.command(["PING"]);
      await Promise.all([loss, proxy.sever()]);
    }
    equal(await connection.command(["PING"]), "PONG");
  });
});

Deno.test("a Redis that cannot be used is an error of the command, with the way out and no secret", async (test) => {
  const port = freePort();
  await using redis = await PrivateRedis.open("--requirepass", "right");
  const fault = async (REDIS: Plain, CONNECT_TIMEOUT = 5) => {
    await using held = hold({ URI: REDIS, CONNECT_TIMEOUT });
    const error: Error = await held.connection.command(["PING"]).then(
      () => new Error("none"),
      (thrown) => thrown,
    );
    equal(error.name, "RedisUnavailableError");
    equal(error.message.includes("secret"), false);
    return error.message;
  };
  await test.step("nobody listens", async () => {
    match(
      await fault(`redis://u:secret@127.0.0.1:${port}/3`),
      /at redis:\/\/u:\*{8}@127\.0\.0\.1:\d+\/3: connection refused\. Start Redis there, or correct REDIS$/,
    );
  });
  await test.step("no node of a cluster listens", async () => {
    match(await fault([`redis://127.0.0.1:${port}`, `redis://localhost:${port}`]), /connection refused/);
  });
  await test.step("the host has no address", async () => {
    match(await fault("redis://nowhere.invalid"), /no such host\. Correct REDIS$/);
  });
  if (redis === undefined) return;
  await test.step("the password is wrong, or missing", async () => {
    const way =
      /it refuses the login \((?:WRONGPASS|NOAUTH) .*\)\. Correct the user and the password in REDIS$/;
    match(await fault(`redis://:secret@127.0.0.1:${redis.port}`), way);
    match(await fault(`redis://127.0.0.1:${redis.port}`), way);
  });
  await test.step("it has no TLS", async () => {
    match(
      await fault(`rediss://127.0.0.1:${redis.port}`, 0.2),
      /no answer within 0\.2 s|TLS failed|closed the connection/,
    );
  });
});
