import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import type { ThreadPlan } from "../../runtime/spawning/create_spawner.ts";
import { socketDescriptors } from "../fixtures/socket_descriptors.ts";
import { fixtureUrl, PoolStage, type SpawnerFactory } from "./pool_stage.ts";

/** What a service may do that is allowed nothing, or little. */
export function poolPermissionLaws(name: string, createSpawner: SpawnerFactory): void {
  const law = (
    text: string,
    permissions: ThreadPlan["permissions"],
    proof: (stage: PoolStage) => Promise<void>,
  ) =>
    Deno.test(`Pool of ${name} threads ${text}`, async () => {
      await using stage = await PoolStage.open(createSpawner, { module: "reaching", plan: { permissions } });
      await proof(stage);
    });
  const denied = async (stage: PoolStage, method: string, ...args: readonly unknown[]) => {
    const { name, message } = await stage.failure(method, ...args);
    assert.equal(name, "NotCapable", message);
  };
  const beside = fileURLToPath(import.meta.resolve("../fixtures/broker.ts"));
  const other = fileURLToPath(fixtureUrl("working"));

  law("read no file without permission", "none", async (stage) => {
    await denied(stage, "readFile", beside);
    await denied(stage, "readFile", "/etc/hostname");
  });

  law("read no other service's source without permission", "none", async (stage) => {
    await denied(stage, "readFile", other);
  });

  law("read no environment without permission", "none", async (stage) => {
    await denied(stage, "environment", "HOME");
    assert.equal(await stage.value("processEnvironment", "HOME"), null);
  });

  law("connect nowhere without permission", "none", async (stage) => {
    await denied(stage, "connect", "127.0.0.1", 9);
  });

  const folder = Deno.makeTempDirSync({ prefix: "enoki-pool-" });
  Deno.writeTextFileSync(`${folder}/note.txt`, "mushrooms");
  addEventListener("unload", () => Deno.removeSync(folder, { recursive: true }));

  law("read where they may and nowhere else", { read: [folder] }, async (stage) => {
    assert.equal(await stage.value("readFile", `${folder}/note.txt`), "mushrooms");
    await denied(stage, "readFile", other);
    await denied(stage, "environment", "HOME");
  });

  law("read the variables that they may and no others", { env: ["HOME"] }, async (stage) => {
    assert.equal(await stage.value("environment", "HOME"), Deno.env.get("HOME") ?? null);
    await denied(stage, "environment", "PATH");
  });

  law("cannot widen their permissions", "none", async (stage) => {
    assert.notEqual(await stage.value("request", "env"), "granted");
    await denied(stage, "environment", "HOME");
  });

  law("cannot give up their permissions", { env: true }, async (stage) => {
    assert.equal(await stage.value("revoke", "env"), "granted");
    assert.equal(await stage.value("environment", "HOME"), Deno.env.get("HOME") ?? null);
    assert.equal(Deno.permissions.querySync({ name: "env" }).state, "granted");
  });

  law("get no more by a Worker that they may start", { read: [folder], workers: true }, async (stage) => {
    assert.equal(await stage.value("worker", `${folder}/note.txt`), "mushrooms");
    assert.equal(await stage.value("worker", other), "NotCapable");
  });

  law("cannot signal their process without permission", "none", async (stage) => {
    await denied(stage, "kill", "SIGKILL");
    await denied(stage, "processKill", "SIGKILL");
    assert.equal(await stage.value("processKill", 0), true);
  });

  if (Deno.build.os === "linux") {
    law("cannot adopt a socket of another thread by its descriptor", "none", async (stage) => {
      const before = new Set(socketDescriptors());
      using listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
      using connection = await Deno.connect({ hostname: "127.0.0.1", port: listener.addr.port });
      using accepted = await listener.accept();
      const descriptors = socketDescriptors().filter((descriptor) => !before.has(descriptor));
      assert.ok(descriptors.length >= 3);
      for (const descriptor of descriptors) {
        const [listening, connecting] = await stage.value("adopt", descriptor) as [string, string];
        assert.match(listening, /^listen E/);
        // It is no descriptor of another process.
        assert.match(connecting, /EPERM|Unsupported fd type/);
      }
      await accepted.write(new TextEncoder().encode("mine"));
      const bytes = new Uint8Array(8);
      const length = await connection.read(bytes);
      assert.equal(new TextDecoder().decode(bytes.subarray(0, length!)), "mine");
    });
  }
}
