import assert from "node:assert/strict";
import { setImmediate } from "node:timers";
import { prepareModule } from "../../../runtime/module/prepare.ts";
import { PooledThread } from "../../../runtime/pool/pooled_thread.ts";
import { createSpawner } from "../../../runtime/spawning/create_spawner.ts";
import { spanSeed } from "../../../runtime/telemetry/trace.ts";
import { Gate } from "../../conformance/gate.ts";
import { disposal } from "../../fixtures/pool/lingering.ts";

Deno.test("a thread that is stopped twice disposes its dependencies before it ends", async () => {
  const module = await prepareModule(import.meta.resolve("../../fixtures/pool/lingering.ts"));
  await using spawner = await createSpawner(module, "test", { permissions: "all", kind: "inline" });
  const thread = new PooledThread(spawner, "lingering#1", () => {});
  await thread.loaded();
  let hasEnded = false;
  const limits = { callTimeout: 1_000, parentCallsTracked: 10, concurrency: 1, logLimit: 1_000 };
  await thread.serve(
    {
      type: "serve",
      service: "lingering",
      config: {},
      ...limits,
      logThreshold: "info",
      spanSeed: spanSeed(),
    },
    new Gate(),
    { onSettled() {}, onRoom() {}, onReturned() {}, onEnd: () => hasEnded = true },
  );
  const { signal } = new AbortController();
  const stops = [thread.stop(signal), thread.stop(signal)];
  for (let turn = 0; turn < 100; turn++) await new Promise((resolve) => setImmediate(resolve));
  assert.equal(hasEnded, false);
  disposal.resolve();
  await Promise.all(stops);
  assert.equal(hasEnded, true);
});
