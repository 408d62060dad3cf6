import { equal, rejects } from "node:assert/strict";
import { connect } from "../../../extensions/connect.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { run } from "../../../extensions/run.ts";
import { databaseUri } from "../../fixtures/database_probe.ts";
import { hold, LogLines } from "./redis_stage.ts";
import type { keeper, locker } from "./redis_service.ts";

const SERVICES = new URL("./redis_service.ts", import.meta.url).pathname;

const uri = await databaseUri("redis");

Deno.test({
  name: "a service that may use one host of the network, and nothing else",
  ignore: uri === undefined,
  async fn(test) {
    const log = new LogLines();
    const { host, port } = new URL(uri!);
    const permissions = { net: [port === "" ? `${host}:6379` : host] };
    const broker = new MemoryBroker();
    await using _running = await run(
      ["keeper", "locker", "listener", "clustered"].map((name) => `${SERVICES}:${name}`),
      {
        broker: memory({ broker }),
        config: {
          REDIS: uri!,
          max_workers: 1,
          services: {
            keeper: { permissions },
            locker: { permissions },
            clustered: { config: { REDIS: { URI: uri!, CLUSTER: true } } },
          },
        },
      },
    );
    await using cluster = await connect({
      broker: memory({ broker }),
      headers: { prefix: "enoki-test-sandbox" },
    });
    const name = `enoki-test-${crypto.randomUUID()}`;

    await test.step("has a client", async () => {
      equal(await cluster.client<typeof keeper>("keeper").echo("asked"), "asked");
    });

    await test.step("has locks", async () => {
      equal(typeof await cluster.client<typeof locker>("locker").take(name, 0), "number");
    });

    await test.step("needs no permission to listen to a channel", async () => {
      await using held = hold(uri!);
      await held.connection.command(["PUBLISH", "test.text", name]);
      await log.line(new RegExp(`^text ${name}$`));
    });

    await test.step("is told which permission is missing, and how to give it", async () => {
      await rejects(cluster.method("clustered", "get")("a"), {
        message: /the service may not use the network there\. Allow it with --allow-net=[\w.]+:\d+$/,
      });
    });
  },
});
