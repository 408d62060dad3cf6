import { deepStrictEqual, equal, match } from "node:assert/strict";
import { freePort } from "../../fixtures/free_port.ts";
import { PrivateRedis } from "../../fixtures/private_redis.ts";
import { LogLines, RedisStage } from "./redis_stage.ts";

Deno.test("subscription() calls a handler with what is published", async (test) => {
  await using redis = await PrivateRedis.open();
  if (redis === undefined) return;
  const log = new LogLines();
  await using stage = await RedisStage.serve(redis.uri, ["listener"]);
  const publish = (channel: string, message: string | Uint8Array) =>
    stage.command("PUBLISH", channel, message);

  await test.step("as JSON, text or bytes, from the first message after the start on", async () => {
    equal(await publish("test.json", '{"n":1}'), 1);
    equal(await publish("test.text", "Grüße"), 1);
    equal(await publish("test.bytes", new Uint8Array([0, 200])), 1);
    await log.line(/^json 1 of test\.json$/);
    await log.line(/^text Grüße$/);
    await log.line(/^bytes 0,200$/);
  });

  await test.step("on the channels of a pattern", async () => {
    await publish("any.one", "a");
    await log.line(/^pattern a of any\.one by any\.\*$/);
  });

  await test.step("and tells of a message that is no JSON", async () => {
    await publish("test.json", "{");
    match(await log.line(/Cannot read a message of channel "test\.json"/), /subscribe with format: "text"$/);
  });

  await test.step("over one connection of the process", async () => {
    const clients = String(await stage.command("CLIENT", "LIST"));
    equal([...clients.matchAll(/ sub=(\d+) psub=(\d+)/g)].filter(([, sub]) => sub !== "0").length, 1);
    deepStrictEqual(/ sub=3 psub=1/.test(clients), true);
  });

  await test.step("at each instance of the service", async () => {
    const other = await stage.run(["listener"], { REDIS: `${redis.uri}/1` });
    await publish("test.json", '{"n":2}');
    await log.line(/^json 2 of test\.json$/, 2);
    await other.shutdown();
    equal(await publish("test.json", '{"n":3}'), 1);
    await log.line(/^json 3 of test\.json$/, 1);
  });

  await test.step("again after Redis was lost", async () => {
    await redis.kill();
    await log.line(/^Cannot reach Redis at /);
    await redis.start();
    await log.line(/^Redis at .* answers again$/);
    equal(await publish("test.json", '{"n":4}'), 1);
    await log.line(/^json 4 of test\.json$/);
  });
});

Deno.test("a service that listens starts while Redis is away, and listens when it comes", async () => {
  await using redis = await PrivateRedis.open();
  if (redis === undefined) return;
  const log = new LogLines();
  await redis.kill();
  await using stage = await RedisStage.serve(redis.uri, ["listener"]);
  await redis.start();
  await log.line(/^Redis at .* answers again$/);
  // The four subscriptions follow, and the last one tells that all are there.
  while (await stage.command("PUBLISH", "any.x", "late") !== 1);
  await log.line(/^pattern late of any\.x/);
});

Deno.test("messages beyond the limit are dropped and told, and a stop waits for the others", async (test) => {
  await using redis = await PrivateRedis.open();
  if (redis === undefined) return;
  const log = new LogLines();
  const health = `127.0.0.1:${freePort()}`;
  await using stage = await RedisStage.serve(redis.uri, ["slow"], {
    concurrency: 8,
    HEALTH_ADDRESS: health,
    METRICS: true,
  });
  const flood = async (channel: string) => {
    // Eight run, two wait, and the last three have no room.
    for (let n = 1; n <= 13; n++) await stage.command("PUBLISH", `slow.${channel}`, String(n));
    await log.line(new RegExp(`^${channel} `), 8);
    match(
      await log.line(new RegExp(`^slow\\.${channel} is slower than its channel`)),
      new RegExp(`1 messages are dropped, the ${channel} first, because 2 wait`),
    );
  };
  const handled = (channel: string) => log.all(new RegExp(`^${channel} `)).slice(8);

  await test.step("the oldest first", async () => {
    await flood("oldest");
    await stage.command("SET", "oldest", "open");
    await log.line(/^oldest /, 10);
    deepStrictEqual(handled("oldest"), ["oldest 12", "oldest 13"]);
  });

  await test.step("and counted", async () => {
    const numbers = await (await fetch(`http://${health}/metrics`)).text();
    match(numbers, /^enoki_redis_messages_dropped_total\{service="slow",method="oldest"\} 3$/m);
  });

  await test.step("the newest first", async () => {
    await flood("newest");
    const stopped = stage.stop();
    await stage.command("SET", "newest", "open");
    await stopped;
    deepStrictEqual(handled("newest"), ["newest 9", "newest 10"]);
  });
});
