import { equal, match, ok, rejects } from "node:assert/strict";
import { databaseUri } from "../../fixtures/database_probe.ts";
import { LogLines, RedisStage } from "./redis_stage.ts";
import type { locker } from "./redis_service.ts";

const uri = await databaseUri("redis");

Deno.test({
  name: "lock()",
  ignore: uri === undefined,
  async fn(test) {
    const log = new LogLines();
    await using stage = await RedisStage.serve(uri!, ["locker"], { concurrency: 4, max_workers: 2 });
    const client = stage.cluster.client<typeof locker>("locker");
    const name = (text: string) => `${stage.prefix}-${text}`;
    const key = (text: string) => `{enoki:lock:${name(text)}}`;

    await test.step("gives a lock to one holder at a time, with a number that grows", async () => {
      const first = await client.take(name("a"), 0);
      ok(await client.take(name("a"), 0) > first);
      const held = client.hold(name("a"));
      await log.line(/^holds .*-a$/);
      await rejects(client.take(name("a"), 0), {
        remoteName: "LockTimeoutError",
        code: "LOCK_TIMEOUT",
        message: /it is held\. Try again, or wait for it: \{ wait: 5_000 \}$/,
      });
      const waiting = client.take(name("a"), 5_000);
      await stage.command("LPUSH", `${name("a")}:go`, "1");
      equal(await held, false);
      ok(await waiting > first);
    });

    await test.step("keeps a lock for longer than Redis would", async () => {
      const held = client.hold(name("b"));
      await log.line(/^holds .*-b$/);
      const until = Date.now() + 800;
      while (Date.now() < until) equal(await stage.command("EXISTS", key("b")), 1);
      await stage.command("LPUSH", `${name("b")}:go`, "1");
      equal(await held, false);
      equal(await stage.command("EXISTS", key("b")), 0);
    });

    await test.step("tells its holder that a lock is lost", async () => {
      equal(await client.lose(name("c")), "LockLostError");
    });

    await test.step("leaves a lock alone that belongs to another by now", async () => {
      const held = client.hold(name("d"));
      await log.line(/^holds .*-d$/);
      await stage.command("SET", key("d"), "another", "PX", "60000");
      await rejects(held, { remoteName: "LockLostError", code: "LOCK_LOST" });
      equal(await stage.command("GET", key("d")), "another");
      await client.release(name("h"));
      equal(await stage.command("GET", key("h")), "another");
    });

    await test.step("releases at the end of a call what its handler forgets", async () => {
      await client.forget(name("e"));
      match(await log.line(/^locker\.forget has ended/), /did not release lock ".*-e"\. Write await using$/);
      equal(await stage.command("EXISTS", key("e")), 0);
    });

    await test.step("stops a wait that nobody awaits at the end of the call", async () => {
      await stage.command("SET", key("f"), "another", "PX", "60000");
      await client.unawaited(name("f"));
      await log.line(/^locker\.unawaited does not await lock ".*-f"\. Write await before it$/);
      await client.take(name("a"), 0);
    });

    await test.step("frees the lock of a thread that dies", async () => {
      await rejects(client.die(name("g")), { code: "WORKER_LOST" });
      equal(await stage.command("EXISTS", key("g")), 1);
      ok(await client.take(name("g"), 5_000) > 0);
    });
  },
});
