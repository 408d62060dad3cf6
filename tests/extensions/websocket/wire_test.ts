import assert from "node:assert/strict";
import { RawSocket, serveSockets } from "./socket_stage.ts";

/** What of an error Nameko knows. */
function nameko({ exc_type, exc_path, exc_args, value }: Record<string, unknown>): unknown {
  return { exc_type, exc_path, exc_args, value };
}

Deno.test("WebSocket: a connection begins with an event that tells the socket's id", async () => {
  await using served = await serveSockets();
  await using socket = new RawSocket(new WebSocket(served.ws));
  const { data, ...rest } = await socket.next();
  assert.deepEqual(rest, { type: "event", event: "connected" });
  assert.deepEqual(Object.keys(data), ["socket_id"]);
  assert.match(data.socket_id, /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/);
});

Deno.test("WebSocket: requests are answered as Nameko answers them", async (t) => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  const ask = async (message: unknown) => {
    socket.send(message);
    return await socket.next();
  };
  const succeeds = (name: string, message: unknown, data: unknown, correlationId: unknown = null) =>
    t.step(name, async () => {
      assert.deepEqual(await ask(message), {
        type: "result",
        success: true,
        data,
        correlation_id: correlationId,
      });
    });
  const fails = (name: string, message: unknown, error: unknown, correlationId: unknown = null) =>
    t.step(name, async () => {
      const { error: answered, ...rest } = await ask(message);
      assert.deepEqual(rest, { type: "result", success: false, correlation_id: correlationId });
      assert.deepEqual(nameko(answered), error);
    });
  const error = (type: string, value: string, args: readonly unknown[] = [value]) => ({
    exc_type: type,
    exc_path: `nameko.exceptions.${type}`,
    exc_args: args,
    value,
  });
  const malformed = error("MalformedRequest", "Invalid JSON data");

  await succeeds("data by name", { method: "add", data: { b: 2, a: 40, _secret: "s" } }, 42);
  await succeeds("data without an optional parameter", { method: "add", data: { b: 2, a: 40 } }, 42);
  await succeeds("the socket's id is the first argument", { method: "whoami" }, socket.id);
  for (const nothing of [null, {}, [], "", 0, false]) {
    await succeeds(`data ${JSON.stringify(nothing)} is none`, { method: "echo", data: nothing }, null);
  }
  for (const id of ["a", 1, null, true, { a: [1] }, ["x"], "\u2028"]) {
    await succeeds(
      `correlation_id ${JSON.stringify(id)}`,
      { method: "echo", data: { value: 1 }, correlation_id: id },
      1,
      id,
    );
  }
  await succeeds(
    "a binary message that holds JSON",
    new TextEncoder().encode(`{"method": "echo", "data": {"value": "ü"}}`),
    "ü",
  );
  await succeeds("arguments by position, which is ours", { method: "add", args: [1, 2] }, 3);

  await fails("no JSON", "{", malformed);
  await fails("bytes that are no text", new Uint8Array([0xff, 0xfe]), malformed);
  await fails("no object", [1], malformed);
  await fails("null", "null", malformed);
  await fails("no method, whatever the correlation_id", { data: {}, correlation_id: 7 }, malformed);
  await fails(
    "a method that nobody has",
    { method: "nope", correlation_id: 7 },
    error("MethodNotFound", "", []),
    7,
  );
  await fails("a method that is no text", { method: ["echo"] }, error("MethodNotFound", "", []));
  await fails(
    "a missing argument",
    { method: "add", data: { a: 1 } },
    error("IncorrectSignature", "add() missing 1 required positional argument: 'b'"),
  );
  await fails(
    "an argument too many",
    { method: "add", data: { a: 1, b: 2, c: 3 } },
    error("IncorrectSignature", "add() got an unexpected keyword argument 'c'"),
  );
  await fails(
    "the socket's id among the data",
    { method: "whoami", data: { socketId: "mine" } },
    error("IncorrectSignature", "whoami() got an unexpected keyword argument 'socketId'"),
  );
  for (const data of [[1], "text", 5, true]) {
    await t.step(`data ${JSON.stringify(data)} does not fit`, async () => {
      const { error: { exc_type } } = await ask({ method: "echo", data });
      assert.equal(exc_type, "IncorrectSignature");
    });
  }
  await fails("an error of the service", { method: "fail" }, {
    exc_type: "TypeError",
    exc_path: "sockets.TypeError",
    exc_args: ["boom"],
    value: "boom",
  });
  await t.step("an error's data go along", async () => {
    assert.deepEqual((await ask({ method: "refuse" })).error.data, { who: "you" });
  });
  await t.step("a result that is no JSON is an error, and the socket lives on", async () => {
    const { success, error } = await ask({ method: "strange" });
    assert.equal(success, false);
    assert.equal(error.exc_path, "nameko.exceptions.UnserializableValueError");
    assert.equal((await ask({ method: "echo", data: { value: 1 } })).data, 1);
  });
  await t.step(
    "a correlation_id as deep as a message may be is answered, and the socket lives on",
    async () => {
      const deep = "[".repeat(250_000) + "]".repeat(250_000);
      assert.equal((await ask(`{"method": "echo", "correlation_id": ${deep}}`)).type, "result");
      assert.equal((await ask({ method: "echo", data: { value: 1 } })).data, 1);
    },
  );
  await t.step("what a schema refuses is answered with the issues", async () => {
    const { error } = await ask({ method: "place", data: { order: { sku: 1 } } });
    assert.equal(error.exc_type, "IncorrectSignature");
    assert.equal(error.data.issues[0].path, "sku");
    assert.equal((await ask({ method: "place", data: { order: { sku: "a" } } })).data, "a");
  });
});

Deno.test("WebSocket: the requests of one socket run one after another, in their order", async () => {
  await using served = await serveSockets({ concurrency: 10 });
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using socket = await RawSocket.open(served.ws);
  socket.send({ method: "slow", data: { key: "a", ms: 50 } });
  socket.send({ method: "slow", data: { key: "b" } });
  const seen = [];
  for (let count = 0; count < 4; count++) {
    const { event, data } = await watcher.next();
    seen.push([event, data]);
  }
  assert.deepEqual(seen, [["began", "a"], ["ended", "a"], ["began", "b"], ["ended", "b"]]);
});

Deno.test("WebSocket: the requests of different sockets run in parallel", async () => {
  await using served = await serveSockets();
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using a = await RawSocket.open(served.ws);
  await using b = await RawSocket.open(served.ws);
  a.send({ method: "slow", data: { key: "a", ms: 60_000 } });
  assert.equal((await watcher.next()).data, "a");
  b.send({ method: "slow", data: { key: "b" } });
  assert.deepEqual([(await watcher.next()).data, (await b.next()).data.key], ["b", "b"]);
});

Deno.test("WebSocket: a call that takes too long is answered, and the socket lives on", async () => {
  await using served = await serveSockets({}, { logLevel: "error" });
  await using socket = await RawSocket.open(served.ws);
  const { error } = await socket.call("spin");
  assert.deepEqual([error.exc_path, error.code], ["enoki.CallTimeoutError", "TIMEOUT"]);
  assert.equal((await socket.call("echo", { value: 1 })).data, 1);
});

Deno.test("WebSocket: a client that leaves aborts its call", async () => {
  await using served = await serveSockets();
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  {
    await using socket = await RawSocket.open(served.ws);
    socket.send({ method: "slow", data: { key: "a", ms: 60_000 } });
    assert.equal((await watcher.next()).event, "began");
  }
  assert.equal((await watcher.next()).event, "cancelled");
});

Deno.test("WebSocket: a path of its own has the methods that name it, and no others", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws.replace("/ws", "/other"));
  assert.equal((await socket.call("elsewhere")).data, "elsewhere");
  assert.equal((await socket.call("echo")).error.exc_type, "MethodNotFound");
});

Deno.test("WebSocket: requests that are no upgrade are refused", async (t) => {
  await using served = await serveSockets();
  await t.step("GET is 400", async () => {
    const response = await fetch(`${served.http}/ws`);
    assert.equal(response.status, 400);
    await response.body?.cancel();
  });
  await t.step("POST is 405", async () => {
    const response = await fetch(`${served.http}/ws`, { method: "POST" });
    assert.equal(response.status, 405);
    await response.body?.cancel();
  });
});
