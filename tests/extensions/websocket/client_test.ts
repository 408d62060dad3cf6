import assert from "node:assert/strict";
import { connectSocket } from "../../../extensions/websocket/client.ts";
import { serveSockets } from "./socket_stage.ts";
import type sockets from "./socket_service.ts";

Deno.test("SocketClient.call calls by position, and by name", async () => {
  await using served = await serveSockets();
  await using socket = connectSocket<typeof sockets>(served.ws);
  assert.equal(await socket.call.add(1, 2), 3);
  assert.equal(await socket.call.add.kwargs({ b: 2, a: 1 }), 3);
});

Deno.test("SocketClient.call rejects with the class name, message, code and data of what was thrown", async () => {
  await using served = await serveSockets();
  await using socket = connectSocket<typeof sockets>(served.ws);
  await assert.rejects(socket.call.refuse(), {
    name: "Refused",
    message: "not you",
    code: "ERROR",
    data: { who: "you" },
    retryable: false,
  });
});

Deno.test("SocketClient.call gives up after its timeout, or when its signal aborts", async () => {
  await using served = await serveSockets();
  await using socket = connectSocket<typeof sockets>(served.ws, { timeout: 20_000 });
  await socket.call.whoami();
  await assert.rejects(socket.call.slow.with({ timeout: 20 })("a", 1_000), {
    name: "CallTimeoutError",
    code: "TIMEOUT",
    message: 'Cannot call "slow": no answer within 20 ms',
  });
  const controller = new AbortController();
  const call = socket.call.whoami.with({ signal: controller.signal })();
  controller.abort(new Error("enough"));
  await assert.rejects(call, { message: "enough" });
});

Deno.test("SocketClient.call rejects what cannot be JSON, and leaves no timer behind", async () => {
  await using served = await serveSockets();
  await using socket = connectSocket<typeof sockets>(served.ws);
  await assert.rejects(socket.call.echo(1n), TypeError);
});

Deno.test("SocketClient.on() hears events until it is ended", async () => {
  await using served = await serveSockets();
  await using socket = connectSocket<typeof sockets>(served.ws);
  const heard: unknown[] = [];
  const end = socket.on("said", (text) => heard.push(text));
  await socket.call.join("room");
  await socket.call.say("room", "a");
  end();
  await socket.call.say("room", "b");
  assert.deepEqual(heard, ["a"]);
});

Deno.test("SocketClient connects again, and sends what waited after what listeners of connected call", async () => {
  const first = await serveSockets();
  const { port } = new URL(first.http);
  await using socket = connectSocket<typeof sockets>(first.ws, { retryAfter: 1 });
  const ids: string[] = [];
  socket.on("connected", ({ socket_id: id }) => {
    ids.push(id);
    void socket.call.join("room");
  });
  const said = new Promise((resolve) => socket.on("said", resolve));
  assert.equal(await socket.call.whoami(), socket.id);
  await first.shutdown();
  // It needs the subscription of the new connection.
  const saying = socket.call.say("room", "hi");
  await using _second = await serveSockets({ WEB_SERVER_ADDRESS: `127.0.0.1:${port}` });
  await saying;
  assert.equal(await said, "hi");
  assert.deepEqual([ids.length, new Set(ids).size, ids[1]], [2, 2, socket.id]);
});

Deno.test("SocketClient.call rejects with CONNECTION_LOST where nobody knows what became of the call", async () => {
  await using served = await serveSockets();
  await using socket = connectSocket<typeof sockets>(served.ws, { retryAfter: 1 });
  await socket.call.join("watchers");
  const began = new Promise((resolve) => socket.on("began", resolve));
  const call = socket.call.slow("a", 60_000);
  await Promise.all([
    assert.rejects(call, { name: "ConnectionLostError", code: "CONNECTION_LOST", retryable: true }),
    began.then(() => served.shutdown({ signal: AbortSignal.abort() })),
  ]);
});

Deno.test("SocketClient.close() rejects what waits, and what comes later", async () => {
  await using served = await serveSockets();
  const socket = connectSocket<typeof sockets>(served.ws);
  const call = assert.rejects(socket.call.whoami(), { code: "CLOSED" });
  await socket.close();
  await call;
  await assert.rejects(socket.call.whoami(), { message: 'Cannot call "whoami": the client is closed' });
});
