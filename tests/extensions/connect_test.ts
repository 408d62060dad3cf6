import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, run } from "../../extensions/run.ts";
import {
  BadRequestError,
  BrokerError,
  CallTimeoutError,
  MethodNotFoundError,
  RemoteError,
  UnknownServiceError,
} from "../../runtime/message/errors.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import type catalogue from "../fixtures/services/catalogue.ts";

configureLogging({ write: () => {} });

const MODULE = new URL("../fixtures/services/catalogue.ts", import.meta.url);

/** A served catalogue and a connection to it. */
async function stage() {
  const broker = new MemoryBroker();
  const running = await run([MODULE], {
    broker: memory({ broker }),
    config: { grace: 0.2 },
    threads: { permissions: "all" },
  });
  const cluster = await connect({ broker: memory({ broker }) });
  return {
    cluster,
    catalogue: cluster.client<typeof catalogue>("enoki_test_catalogue"),
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await running.shutdown();
    },
  };
}

Deno.test("Connection.client() calls a method and returns its typed result", async () => {
  await using each = await stage();
  const price: number = await each.catalogue.price("mushroom", 4);
  assert.equal(price, 12);
  assert.equal(await each.catalogue.price("mushroom"), 3);
});

Deno.test("ClientMethod.kwargs() sends keyword arguments", async () => {
  await using each = await stage();
  assert.equal(await each.catalogue.price.kwargs({ item: "mushroom", count: 2 }), 6);
});

Deno.test("ClientMethod.start() makes calls that run at the same time", async () => {
  await using each = await stage();
  const calls = Array.from({ length: 20 }, (_, index) => each.catalogue.price.start("mushroom", index));
  const results = await Promise.all(calls.map((call) => call.result()));
  assert.deepEqual(results, Array.from({ length: 20 }, (_, index) => 3 * index));
  assert.equal(await calls[7]!.result(), 21);
});

Deno.test("ClientMethod.start() may fail unheard", async () => {
  await using each = await stage();
  const call = each.catalogue.price.start("toadstool");
  await each.catalogue.price("mushroom");
  await assert.rejects(call.result(), RemoteError);
});

Deno.test("A call rejects with CallTimeoutError when no answer comes in time", async () => {
  await using each = await stage();
  const start = performance.now();
  await assert.rejects(each.catalogue.never.with({ timeout: 100 })(), (error: Error) => {
    assert.ok(error instanceof CallTimeoutError, String(error));
    assert.match(error.message, /enoki_test_catalogue\.never.*100 ms/);
    return true;
  });
  const elapsed = performance.now() - start;
  assert.ok(elapsed >= 95 && elapsed < 1_000, `${elapsed} ms`);
});

Deno.test("A call rejects with CallTimeoutError when the handler exceeds its entrypoint's limit", async () => {
  await using each = await stage();
  await assert.rejects(each.catalogue.spin(), (error: Error) => {
    assert.ok(error instanceof CallTimeoutError, String(error));
    assert.match(error.message, /took longer than its timeout of 100 ms/);
    return true;
  });
  assert.equal(await each.catalogue.price("mushroom"), 3);
});

Deno.test("A call of a service that nobody serves rejects at once", async () => {
  await using each = await stage();
  const start = performance.now();
  await assert.rejects(each.cluster.client("enoki_test_absent").hello!(), (error: Error) => {
    assert.ok(error instanceof UnknownServiceError);
    assert.equal(error.service, "enoki_test_absent");
    return true;
  });
  assert.ok(performance.now() - start < 1_000);
});

Deno.test("A call of a method that is not there rejects with MethodNotFoundError", async () => {
  await using each = await stage();
  await assert.rejects(each.cluster.client("enoki_test_catalogue").absent!(), MethodNotFoundError);
});

Deno.test("A call with arguments that do not fit rejects with BadRequestError", async () => {
  await using each = await stage();
  const { price } = each.cluster.client("enoki_test_catalogue");
  await assert.rejects(price!(), (error: Error) => {
    assert.ok(error instanceof BadRequestError);
    assert.equal(error.reason, "IncorrectSignature");
    assert.equal(error.message, "price() missing 1 required positional argument: 'item'");
    return true;
  });
  await assert.rejects(price!("mushroom", 1, 2), BadRequestError);
  await assert.rejects(price!.kwargs({ thing: "mushroom" }), BadRequestError);
});

Deno.test("A call that fails remotely rejects with the class name, message, code and data of the failure", async () => {
  await using each = await stage();
  await assert.rejects(each.catalogue.price("toadstool"), (error: Error) => {
    assert.ok(error instanceof RemoteError);
    assert.equal(error.remoteName, "NotListedError");
    assert.equal(error.remoteMessage, "There is no toadstool");
    assert.equal(error.message, "NotListedError There is no toadstool");
    assert.equal(error.code, "NOT_LISTED");
    assert.deepEqual(error.data, { item: "toadstool" });
    assert.equal(error.retryable, false);
    return true;
  });
});

Deno.test("A call whose result cannot be sent rejects", async () => {
  await using each = await stage();
  await assert.rejects(each.cluster.client("enoki_test_catalogue").unsendable!(), (error: Error) => {
    assert.ok(error instanceof RemoteError);
    assert.equal(error.remoteName, "UnserializableValueError");
    return true;
  });
});

Deno.test("A call rejects with the reason of its signal", async () => {
  await using each = await stage();
  const controller = new AbortController();
  const reason = new Error("not needed any more");
  const call = each.catalogue.never.with({ signal: controller.signal })();
  controller.abort(reason);
  await assert.rejects(call, reason);
  await assert.rejects(each.catalogue.never.with({ signal: AbortSignal.abort(reason) })(), reason);
});

Deno.test("Connection.close() rejects the calls that wait, and is idempotent", async () => {
  await using each = await stage();
  const call = assert.rejects(each.catalogue.never(), { name: "AbortError" });
  await each.catalogue.price("mushroom");
  await Promise.all([each.cluster.close(), each.cluster.close()]);
  await call;
  await assert.rejects(each.catalogue.price("mushroom"));
});

Deno.test("Connection.method() calls a method that no client can have", async () => {
  await using each = await stage();
  await assert.rejects(
    each.cluster.method("enoki_test_catalogue", "then")(),
    { name: "MethodNotFoundError", message: /"then": service "enoki_test_catalogue"/ },
  );
});

Deno.test("ClientMethod.with() refuses a timeout that is none", async () => {
  await using each = await stage();
  for (const timeout of [NaN, 0, -1, "5 secs" as unknown as number]) {
    assert.throws(() => each.catalogue.price.with({ timeout }), RangeError);
  }
});

Deno.test("connect() with memory: reaches the services that run() serves in this process", async () => {
  await using _running = await run([MODULE], { broker: "memory:", threads: { kind: "inline" } });
  await using cluster = await connect({ broker: "memory:" });
  assert.equal(await cluster.client<typeof catalogue>("enoki_test_catalogue").price("mushroom"), 3);
});

Deno.test("memory: is empty again once nobody is connected", async () => {
  {
    await using _running = await run([MODULE], { broker: "memory:", threads: { kind: "inline" } });
  }
  await using cluster = await connect({ broker: "memory:" });
  const { price } = cluster.client<typeof catalogue>("enoki_test_catalogue");
  await assert.rejects(price("mushroom"), UnknownServiceError);
});

Deno.test("connect() rejects where no broker listens", async () => {
  await assert.rejects(connect({ broker: "amqp://127.0.0.1:1" }), BrokerError);
});

Deno.test("connect() closes a transport that it cannot connect", async () => {
  const broker = memory();
  await assert.rejects(connect({ broker, signal: AbortSignal.abort() }), { name: "AbortError" });
  await assert.rejects(broker.connect(), /the transport is closed/);
});

Deno.test("connect() closes with nothing called", async () => {
  await using _cluster = await connect({ broker: memory() });
});
