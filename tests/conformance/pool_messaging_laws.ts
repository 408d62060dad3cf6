import type { LogThreshold } from "../../runtime/log/log.ts";
import assert from "node:assert/strict";
import type { PoolLaw } from "./pool.ts";
import { failureOf, valueOf } from "./pool_stage.ts";

/** What passes between a thread and the world. */
export function poolMessagingLaws(law: PoolLaw): void {
  law("returns text", {}, async (stage) => {
    const text = "grüße \u{1F344} \u2028";
    assert.deepEqual(await stage.value("echo", { text }), { text });
  });

  law("returns bytes", { module: "raw" }, async (stage) => {
    const body = new Uint8Array([0, 255, 128, 10]);
    const outcome = await stage.pool.run({ entrypoint: 0, body, contentType: undefined, headers: undefined });
    assert.deepEqual(valueOf(outcome), body);
  });

  law("returns nothing where there is nothing", { module: "raw" }, async (stage) => {
    const invocation = { entrypoint: 0, body: undefined, contentType: undefined, headers: undefined };
    assert.deepEqual(await stage.pool.run(invocation), { status: "done", body: undefined });
  });

  law("returns how a handler failed", {}, async (stage) => {
    const failure = failureOf(await stage.call("fail", "OutOfStock", "no mushrooms"));
    assert.deepEqual(failure, {
      name: "OutOfStock",
      message: "no mushrooms",
      code: "BROKEN",
      data: { name: "OutOfStock" },
      retryable: false,
    });
  });

  law("carries a handler's request to the messenger and its answer back", {}, async (stage) => {
    const call = stage.call("ask", "question");
    const held = await stage.gate.arrival("question");
    assert.equal(held.request.service, "gate");
    assert.equal(held.request.method, "wait");
    assert.ok(held.timeout > 0 && held.timeout <= 60_000);
    held.release({ answer: 42 });
    assert.deepEqual(valueOf(await call), { answer: 42 });
  });

  law("passes context data and the call id stack on with a handler's request", {}, async (stage) => {
    const headers = { "nameko.call_id_stack": ["first.call.1"], "nameko.language": "en", "nameko.user": 7 };
    const call = stage.callWith({ headers }, "hold", "passed on");
    const { request, release } = await stage.gate.arrival("passed on");
    release();
    await call;
    const { "nameko.call_id_stack": stack, "nameko.enoki_timeout": _timeout, ...data } = request.headers;
    assert.deepEqual(data, { "nameko.language": "en", "nameko.user": 7 });
    assert.equal((stack as string[])[0], "first.call.1");
    assert.match((stack as string[])[1]!, /^working\.hold\.[0-9a-f-]{36}$/);
  });

  law("fails a handler whose request is refused", {}, async (stage) => {
    const call = stage.call("hold", "refused");
    (await stage.gate.arrival("refused")).refuse(new RangeError("not today"));
    const failure = failureOf(await call);
    assert.equal(failure.name, "RemoteError");
    assert.match(failure.message, /RangeError not today/);
  });

  law("withdraws a request that the handler aborts", {}, async (stage) => {
    const call = stage.call("abortGate", "withdrawn");
    const { signal } = await stage.gate.arrival("withdrawn");
    const withdrawn = new Promise((resolve) => signal!.addEventListener("abort", resolve));
    (await stage.gate.arrival("withdrawn arrived")).release();
    assert.equal(valueOf(await call), "withdrawn by the handler");
    await withdrawn;
  });

  law("hands over what the service logs, under the service's name", {}, async (stage) => {
    await stage.value("say", "hello from a thread");
    const { service, level, fields } = await stage.logged("hello from a thread");
    assert.equal(service, "working");
    assert.equal(level, "info");
    assert.match(String(fields?.call), /^working\.say\./);
  });

  law("leaves out what the log level excludes", { logThreshold: () => "warning" }, async (stage) => {
    await stage.value("say", "too little to tell");
    assert.deepEqual(stage.records.filter(({ service }) => service === "working"), []);
  });

  const level: { present: LogThreshold } = { present: "none" };
  law("heeds a log level that changes, before the next call", {
    logThreshold: () => level.present,
    minWorkers: 2,
  }, async (stage) => {
    const said = () =>
      stage.records.flatMap(({ service, message }) => service === "working" ? [message] : []);
    level.present = "none";
    await stage.value("say", "not wanted");
    level.present = "info";
    await stage.value("say", "wanted");
    level.present = "warning";
    await stage.value("say", "not wanted any more");
    assert.deepEqual(said(), ["wanted"]);
  });
}
