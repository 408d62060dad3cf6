import assert from "node:assert/strict";
import { connect } from "../../../extensions/run.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { RawSocket, serveSockets } from "./socket_stage.ts";
import type sockets from "./socket_service.ts";

Deno.test("the state of a connection is seen by its next calls, and by no other connection", async () => {
  await using served = await serveSockets();
  await using a = await RawSocket.open(served.ws);
  await using b = await RawSocket.open(served.ws);
  await a.call("remember", { name: "Ada" });
  await a.call("remember", { name: "Bob" });
  assert.deepEqual((await a.call("recall")).data.state, { name: "Bob", count: 2 });
  assert.deepEqual((await b.call("recall")).data.state, {});
});

Deno.test("the state of a connection follows it from thread to thread", async () => {
  await using served = await serveSockets({ max_workers: 2 });
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using socket = await RawSocket.open(served.ws);
  await socket.call("remember", { name: "Ada" });
  const first = (await socket.call("recall")).data.thread;
  // As long as one thread is held, calls run in the other.
  const threads = new Set<string>();
  for (let round = 0; round < 20 && !(threads.size === 2); round++) {
    await using holder = await RawSocket.open(served.ws);
    holder.send({ method: "slow", data: { key: "held", ms: 60_000 } });
    await watcher.next();
    const { state, thread } = (await socket.call("recall")).data;
    assert.deepEqual(state, { name: "Ada", count: 1 });
    threads.add(thread).add(first);
    await holder[Symbol.asyncDispose]();
    await watcher.next();
  }
  assert.equal(threads.size, 2);
});

Deno.test("a handler that fails has still written the state of its connection", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  const { success, error } = await socket.call("rememberAndFail", { name: "Ada" });
  assert.deepEqual([success, error.value], [false, "after remembering"]);
  assert.deepEqual((await socket.call("recall")).data.state, { name: "Ada" });
});

Deno.test("a state that is no JSON is an error, and leaves the state as it was", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  await socket.call("remember", { name: "Ada" });
  const { error } = await socket.call("rememberNonsense");
  assert.match(error.value, /^Cannot keep the state of the connection: /);
  assert.deepEqual((await socket.call("recall")).data.state, { name: "Ada", count: 1 });
});

Deno.test("a call that is out of time has changed nothing of its connection", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  await socket.call("remember", { name: "Ada" });
  assert.equal((await socket.call("spin")).success, false);
  assert.deepEqual((await socket.call("recall")).data.state, { name: "Ada", count: 1 });
});

Deno.test("a connection tells the URL and the headers of the request that opened it", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(`${served.ws}?token=a%20b`, { cookie: "session=1" });
  assert.deepEqual((await socket.call("opened")).data, { url: "?token=a%20b", cookie: "session=1" });
});

Deno.test("the connection of a call that did not come over a WebSocket is an error that says so", async () => {
  const broker = new MemoryBroker();
  await using _served = await serveSockets({}, { broker: memory({ broker }) });
  await using cluster = await connect({ broker: memory({ broker }) });
  await assert.rejects(cluster.client<typeof sockets>("sockets").outside(), {
    remoteMessage:
      'Cannot use dependency "connection" in "sockets.outside": the call did not come over a WebSocket',
  });
});
