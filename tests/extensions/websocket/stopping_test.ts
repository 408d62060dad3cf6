import assert from "node:assert/strict";
import { connectByHand, RawSocket, serveSockets } from "./socket_stage.ts";

Deno.test("stopping answers the running call, and then closes its socket with 1001", async () => {
  await using served = await serveSockets();
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using socket = await RawSocket.open(served.ws);
  socket.send({ method: "slow", data: { key: "a", ms: 300 }, correlation_id: "a" });
  socket.send({ method: "whoami", correlation_id: "never begun" });
  assert.equal((await watcher.next()).event, "began");
  const stopping = served.shutdown();
  const answer = await socket.next();
  assert.deepEqual([answer.correlation_id, answer.data.key], ["a", "a"]);
  const { code, reason } = await socket.closed;
  assert.deepEqual([code, reason], [1001, "The server is stopping"]);
  await stopping;
});

Deno.test("stopping refuses requests with 503 while a call is still running", async () => {
  await using served = await serveSockets();
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using socket = await RawSocket.open(served.ws);
  socket.send({ method: "slow", data: { key: "a", ms: 60_000 } });
  assert.equal((await watcher.next()).event, "began");
  const stopping = served.shutdown();
  const response = await fetch(`${served.http}/ws`);
  assert.deepEqual([response.status, await response.text()], [503, "Service Unavailable\n"]);
  await socket[Symbol.asyncDispose]();
  await stopping;
});

Deno.test("stopping closes idle sockets with 1001", async () => {
  await using served = await serveSockets();
  await using socket = await RawSocket.open(served.ws);
  await served.shutdown();
  assert.equal((await socket.closed).code, 1001);
});

Deno.test("stopping does not wait for long for clients that do not answer, read or leave", async () => {
  await using served = await serveSockets();
  const silent = await connectByHand(served.ws);
  const stuck = await connectByHand(served.ws);
  await using watcher = await RawSocket.open(served.ws);
  const id = /"socket_id": ?"([^"]+)"/.exec(await read(stuck))![1];
  assert.notEqual(id, undefined);
  await served.shutdown();
  assert.equal((await watcher.closed).code, 1001);
  silent.close();
  stuck.close();

  async function read(connection: Deno.TcpConn): Promise<string> {
    let text = "";
    const buffer = new Uint8Array(4096);
    while (!text.includes("socket_id")) {
      text += new TextDecoder().decode(buffer.subarray(0, await connection.read(buffer) ?? 0));
    }
    return text;
  }
});

Deno.test("stopping by force does not wait for running calls", async () => {
  await using served = await serveSockets();
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using socket = await RawSocket.open(served.ws);
  socket.send({ method: "slow", data: { key: "a", ms: 60_000 } });
  assert.equal((await watcher.next()).event, "began");
  await served.shutdown({ signal: AbortSignal.abort() });
  await socket.closed;
});
