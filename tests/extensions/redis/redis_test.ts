import { deepStrictEqual, equal, rejects } from "node:assert/strict";
import { databaseUri } from "../../fixtures/database_probe.ts";
import { PrivateRedis } from "../../fixtures/private_redis.ts";
import { LogLines, RedisStage } from "./redis_stage.ts";
import type { keeper } from "./redis_service.ts";

const uri = await databaseUri("redis");

Deno.test({
  name: "redis() injects a client",
  ignore: uri === undefined,
  async fn(test) {
    const log = new LogLines();
    await using stage = await RedisStage.serve(uri!, ["keeper"]);
    const client = stage.cluster.client<typeof keeper>("keeper");

    await test.step("which sends what node-redis has commands for", async () => {
      equal(await client.put("a", "1"), "OK");
      equal(await client.get("a"), "1");
      deepStrictEqual(await client.transact("b"), ["OK", 2]);
      equal(await client.scan(), 2);
    });

    await test.step("whose values are bytes where that is wanted", async () => {
      deepStrictEqual(await client.bytes("c"), [0, 200]);
    });

    await test.step("whose connection is that of all calls of the thread", async () => {
      equal(await client.connection(), await client.connection());
    });

    await test.step("whose errors are what Redis answers", async () => {
      await rejects(client.wrongType("list"), { message: /WRONGTYPE/ });
    });

    await test.step("whose connection no call can close", async () => {
      await rejects(client.close(), {
        message: /Cannot call destroy\(\) on the connection of redis\(\): Enoki opens and closes it$/,
      });
      equal(await client.get("a"), "1");
    });

    await test.step("whose command is told if nobody awaits it", async () => {
      equal(await client.forget("d"), "done");
      await log.line(/^keeper\.forget does not await INCR: .* Write await before it$/);
    });

    await test.step("whose commands end after a time of their own", async () => {
      await rejects(client.hurry(), { message: /RedisUnavailableError.*: no answer within 0\.05 s$/ });
    });

    await test.step("whose commands end with the call", async () => {
      await rejects(client.block(), { code: "TIMEOUT" });
      await log.line(/^ended by CallTimeoutError$/);
    });
  },
});

Deno.test("a Redis that is away costs a service its calls, and no thread", async (test) => {
  await using redis = await PrivateRedis.open();
  if (redis === undefined) return;
  const log = new LogLines();
  await redis.kill();
  await using stage = await RedisStage.serve(redis.uri, ["keeper"]);
  const client = stage.cluster.client<typeof keeper>("keeper");
  const refused = {
    remoteName: "RedisUnavailableError",
    code: "REDIS_UNAVAILABLE",
    retryable: true,
    message: `RedisUnavailableError Cannot run ECHO on Redis at ${redis.uri}: connection refused. ` +
      "Start Redis there, or correct REDIS",
  };

  await test.step("from the start", async () => {
    await log.line(/^Cannot reach Redis at .* What needs it fails until it answers$/, 2);
    for (let calls = 0; calls < 3; calls++) await rejects(client.echo("a"), refused);
  });

  await test.step("not even if a call does not await what fails", async () => {
    equal(await client.forget("a"), "done");
    await rejects(client.echo("a"), refused);
    // A new thread would say so again.
    equal(log.all(/^Cannot reach Redis/).length, 2);
  });

  await test.step("until it is there", async () => {
    await redis.start();
    await log.line(/^Redis at .* answers again$/, 2);
    equal(await client.echo("a"), "a");
  });

  await test.step("and again after it has been lost", async () => {
    const [first] = [await client.connection()];
    await redis.kill();
    await rejects(client.echo("b"));
    await redis.start();
    await log.line(/^Redis at .* answers again$/, 4);
    equal(await client.echo("c"), "c");
    equal(typeof first, "number");
  });
});
