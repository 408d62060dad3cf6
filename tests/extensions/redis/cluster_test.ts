import { deepStrictEqual, equal, ok } from "node:assert/strict";
import { pause } from "../../../runtime/waiting/abort.ts";
import { freePort } from "../../fixtures/free_port.ts";
import { PrivateRedis } from "../../fixtures/private_redis.ts";
import { LogLines, RedisStage } from "./redis_stage.ts";
import type { clustered } from "./redis_service.ts";

/** Makes a cluster of servers that have no data. */
async function createCluster(nodes: readonly PrivateRedis[]): Promise<void> {
  const addresses = nodes.map(({ port }) => `127.0.0.1:${port}`);
  const { success, stdout } = await new Deno.Command("redis-cli", {
    args: ["--cluster", "create", ...addresses, "--cluster-yes"],
  }).output();
  if (!success) throw new Error(new TextDecoder().decode(stdout));
  // Each node learns of the others by itself, a little later than the first one.
  for (const { port } of nodes) while (!await knowsAll(port, nodes.length)) await pause(20);
}

async function knowsAll(port: number, count: number): Promise<boolean> {
  const { stdout } = await new Deno.Command("redis-cli", { args: ["-p", String(port), "cluster", "info"] })
    .output();
  const info = new TextDecoder().decode(stdout);
  return info.includes("cluster_state:ok") && info.includes(`cluster_size:${count}`);
}

Deno.test("a cluster of three nodes", async (test) => {
  await using stack = new AsyncDisposableStack();
  const nodes: PrivateRedis[] = [];
  for (let count = 0; count < 3; count++) {
    const bus = ["--cluster-enabled", "yes", "--cluster-port", String(freePort())];
    const node = await PrivateRedis.open(...bus, "--cluster-require-full-coverage", "no");
    if (node === undefined) return;
    nodes.push(stack.use(node));
  }
  await createCluster(nodes);
  const log = new LogLines();
  await using stage = await RedisStage.serve(nodes.map(({ uri }) => uri).join(","), [
    "clustered",

    "listener",
  ]);
  const client = stage.cluster.client<typeof clustered>("clustered");
  const keys = ["a", "b", "c", "d", "e", "f"];

  await test.step("has the client of clusters, whose keys are on all nodes", async () => {
    for (const key of keys) equal(await client.put(key, key), "OK");
    deepStrictEqual(await Promise.all(keys.map((key) => client.get(key))), keys);
    equal(await client.masters(), 3);
  });

  await test.step("has locks", async () => {
    for (const key of keys) ok(await client.take(key) > 0);
  });

  await test.step("has channels, whichever node they are published on", async () => {
    await client.publish("test.json", '{"n":1}');
    await client.publish("any.one", "a");
    await log.line(/^json 1 of test\.json$/);
    await log.line(/^pattern a of any\.one/);
  });

  await test.step("of which one is away loses what is there, and says so", async () => {
    await nodes[0]!.kill();
    const answers = await Promise.all(
      keys.map((key) => client.get(key).catch((error: { code: string }) => error.code)),
    );
    ok(answers.includes("REDIS_UNAVAILABLE"), `${answers}`);
    ok(answers.some((answer, index) => answer === keys[index]), `${answers}`);
    // The client sees to its nodes by itself, and is not closed in one of its pauses, which Deno would call a leak.
    await nodes[0]!.start();
    while (await Promise.all(keys.map((key) => client.put(key, key))).catch(() => undefined) === undefined);
  });
});
