import { deepStrictEqual, rejects } from "node:assert/strict";
import { Claims } from "../../../runtime/channel/claims.ts";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { createSpawner } from "../../../runtime/spawning/create_spawner.ts";
import { loadModule } from "../../../runtime/serving/loading/loader.ts";
import type { FromThread, ThreadModule } from "../../../runtime/channel/port.ts";
import { prepareModule } from "../../../runtime/module/prepare.ts";
import type { ThreadKind } from "../../../runtime/spawning/spawner.ts";

const WORKING = import.meta.resolve("../../fixtures/pool/working.ts");

for (const kind of ["node", "web", "warden", "inline"] satisfies ThreadKind[]) {
  Deno.test(`a thread of kind "${kind}" lives before it is told its module, and loads it then`, async () => {
    const { source, needs } = await prepareModule(WORKING);
    const prepared = Promise.withResolvers<ThreadModule>();
    const permissions = kind === "node" || kind === "inline" ? "all" : "none";
    await using spawner = await createSpawner({ url: WORKING, source: prepared.promise, needs }, "early", {
      kind,
      permissions,
    });
    const { port, ended, kill } = spawner.spawn({ name: "early#0", claims: new Claims().buffer });
    const heard: FromThread["type"][] = [];
    const { promise: loaded, resolve } = Promise.withResolvers<void>();
    port.onmessage = ({ data: { type } }) => {
      heard.push(type);
      if (type === "pong") prepared.resolve(source);
      if (type === "loaded") resolve();
    };
    port.postMessage({ type: "ping" });
    await loaded;
    deepStrictEqual(heard, ["pong", "loaded"]);
    kill();
    await ended;
    port.close();
  });
}

Deno.test("loadModule() ends the thread that it has begun for a module that is not there", async () => {
  const url = import.meta.resolve("../fixtures/pool/missing.ts");
  const loading = loadModule({ url, service: undefined }, { permissions: "all", onLog() {} });
  await rejects(
    loading,
    (error: unknown) => error instanceof ServiceLoadError && /missing\.ts/.test(error.message),
  );
});
