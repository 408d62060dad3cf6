import { rejects, strictEqual } from "node:assert/strict";
import { BegunModule } from "../../../runtime/serving/loading/begun_module.ts";
import { loadModule } from "../../../runtime/serving/loading/loader.ts";

const WORKING = { url: import.meta.resolve("../../fixtures/pool/working.ts"), service: undefined };

const PLAN = { permissions: "all", onLog() {} } as const;

Deno.test("loadModule() loads a module that has begun in the thread that has begun", async () => {
  await using begun = new BegunModule(WORKING, PLAN);
  const { thread, spawner } = await loadModule(WORKING, { ...PLAN, begun });
  strictEqual(spawner, (await begun.take()).spawner);
  strictEqual(begun.isFree, false);
  thread.kill("the test is over");
  await spawner[Symbol.asyncDispose]();
});

Deno.test("a module that nobody takes over ends its thread when it is disposed of", async () => {
  const begun = new BegunModule(WORKING, PLAN);
  strictEqual(begun.isFree, true);
  await begun[Symbol.asyncDispose]();
  const { thread } = await begun.take();
  await thread.ended;
});

Deno.test("a module that somebody has taken over does not end its thread when it is disposed of", async () => {
  const begun = new BegunModule(WORKING, PLAN);
  const { thread, spawner } = await begun.take();
  await begun[Symbol.asyncDispose]();
  const answered = new Promise((resolve) => thread.port.onmessage = resolve);
  thread.port.postMessage({ type: "ping" });
  await answered;
  thread.kill();
  await spawner[Symbol.asyncDispose]();
  thread.port.close();
});

Deno.test("an aborted load does not wait for a module that has begun and does not arrive", async () => {
  const asked = Promise.withResolvers<void>();
  const answer = Promise.withResolvers<Response>();
  await using server = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen() {} }, () => {
    asked.resolve();
    return answer.promise;
  });
  const far = { url: `http://127.0.0.1:${server.addr.port}/service.ts`, service: undefined };
  const plan = { ...PLAN, permissions: "none" } as const;
  const begun = new BegunModule(far, { ...plan, modules: {} });
  await asked.promise;
  await rejects(
    loadModule(far, { ...plan, begun, signal: AbortSignal.abort(new Error("stopped")) }),
    /stopped/,
  );
  const loading = new AbortController();
  const load = loadModule(far, { ...plan, begun, signal: loading.signal });
  loading.abort(new Error("given up"));
  await rejects(load, /given up/);
  strictEqual(begun.isFree, false);
  answer.resolve(new Response(null, { status: 404 }));
});
