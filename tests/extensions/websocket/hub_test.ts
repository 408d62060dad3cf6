import assert from "node:assert/strict";
import { connect } from "../../../extensions/run.ts";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { RawSocket, serveSockets } from "./socket_stage.ts";
import type sockets from "./socket_service.ts";

const event = (name: string, data: unknown) => ({ type: "event", event: name, data });

Deno.test("Hub.broadcast() reaches all sockets of the channel, the caller's among them, and no others", async () => {
  await using served = await serveSockets();
  await using a = await RawSocket.open(served.ws);
  await using b = await RawSocket.open(served.ws);
  await using c = await RawSocket.open(served.ws);
  await a.call("join", { channel: "room" });
  await b.call("join", { channel: "room" });
  await c.call("join", { channel: "elsewhere" });
  assert.deepEqual(await a.call("say", { channel: "room", text: "hi" }), event("said", "hi"));
  assert.deepEqual((await a.next()).success, true);
  assert.deepEqual(await b.next(), event("said", "hi"));
  assert.deepEqual((await c.call("whoami")).data, c.id);
});

Deno.test("an event reaches a socket before the result of the handler that sent it, waited for or not", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  await socket.call("join", { channel: "room" });
  for (let round = 0; round < 100; round++) {
    assert.deepEqual(await socket.call("sayBeforeResult", { channel: "room" }), event("said", "first"));
    assert.equal((await socket.next()).data, "second");
  }
});

Deno.test("Hub.unicast() reaches one socket, and says whether there is one", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  assert.deepEqual(await socket.call("tell", { text: "psst" }), event("told", "psst"));
  assert.equal((await socket.next()).data, true);
});

Deno.test("Hub.subscribe() refuses a socket that is not there, as Nameko does", async () => {
  const broker = new MemoryBroker();
  await using _served = await serveSockets({}, { broker: memory({ broker }) });
  await using cluster = await connect({ broker: memory({ broker }) });
  await assert.rejects(
    cluster.client<typeof sockets>("sockets").join("nobody", "room"),
    {
      name: "RemoteError",
      remoteName: "ConnectionNotFound",
      remoteMessage: "nobody",
      code: "CONNECTION_NOT_FOUND",
    },
  );
});

Deno.test("Hub.subscriptions() are sorted, shrink by unsubscribe(), and vanish with the client", async () => {
  await using served = await serveSockets();
  await using other = await RawSocket.open(served.ws);
  let id: string;
  {
    await using socket = await RawSocket.open(served.ws);
    id = socket.id;
    for (const channel of ["b", "a", "c", "a"]) await socket.call("join", { channel });
    assert.deepEqual((await other.call("rooms", { of: id })).data, ["a", "b", "c"]);
    await socket.call("leave", { channel: "b" });
    await socket.call("leave", { channel: "never" });
    assert.deepEqual((await other.call("rooms", { of: id })).data, ["a", "c"]);
  }
  assert.deepEqual((await other.call("rooms", { of: id })).data, []);
});

Deno.test("a timer's handler broadcasts, too", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  await socket.call("join", { channel: "clock" });
  assert.deepEqual(await socket.next(), event("tick", null));
});

Deno.test("an RPC handler broadcasts, too, whichever thread it runs in", async () => {
  const broker = new MemoryBroker();
  await using served = await serveSockets({}, { broker: memory({ broker }) });
  await using cluster = await connect({ broker: memory({ broker }) });
  const service = cluster.client<typeof sockets>("sockets");
  await using socket = await RawSocket.open(served.ws);
  await socket.call("join", { channel: "room" });
  await Promise.all(["a", "b", "c"].map((text) => service.announce("room", text)));
  const texts = [];
  for (let count = 0; count < 3; count++) texts.push((await socket.next()).data);
  assert.deepEqual(texts.sort(), ["a", "b", "c"]);
});

Deno.test("sockets of one thread's calls are reached from another thread", async () => {
  await using served = await serveSockets({ max_workers: 2 });
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using busy = await RawSocket.open(served.ws);
  const first = (await busy.call("which")).data;
  busy.send({ method: "slow", data: { key: "busy", ms: 60_000 } });
  assert.equal((await watcher.next()).data, "busy");
  const others = await Promise.all([1, 2, 3].map(async () => {
    await using socket = await RawSocket.open(served.ws);
    const { data } = await socket.call("which");
    await socket.call("slow", { key: "other" });
    return data;
  }));
  assert.ok(others.some((thread) => thread !== first), "all calls ran in one thread");
  assert.equal((await watcher.next()).data, "other");
});
