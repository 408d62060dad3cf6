import assert from "node:assert/strict";
import { ServerProcess } from "../http/server_process.ts";
import {
  clientFrame,
  connectByHand,
  RawSocket,
  serveSockets,
  SOCKET_SERVICE,
  socketUrl,
} from "./socket_stage.ts";

Deno.test("WEBSOCKET_MAX_MESSAGE: a message of as many bytes is fine, one more closes with 1009", async () => {
  await using served = await serveSockets({ WEBSOCKET_MAX_MESSAGE: 100 });
  const message = (bytes: number) => {
    const [head, tail] = [`{"method": "echo", "data": {"value": "`, `"}}`];
    return head + "x".repeat(bytes - head.length - tail.length) + tail;
  };
  await using socket = await RawSocket.open(served.ws);
  socket.send(message(100));
  assert.equal((await socket.next()).success, true);
  socket.send(message(99).replace("x", "ü"));
  assert.equal((await socket.next()).success, true);
  socket.send(message(100).replace("x", "ü"));
  const { code, reason } = await socket.closed;
  assert.deepEqual([code, reason], [1009, "a message has 101 bytes, and the limit is 100"]);
});

Deno.test("WEBSOCKET_MAX_QUEUE: requests beyond it close with 1008, and the running call is aborted", async () => {
  await using served = await serveSockets({ WEBSOCKET_MAX_QUEUE: 2 });
  await using watcher = await RawSocket.open(served.ws);
  await watcher.call("join", { channel: "watchers" });
  await using socket = await RawSocket.open(served.ws);
  socket.send({ method: "slow", data: { key: "a", ms: 60_000 } });
  assert.equal((await watcher.next()).event, "began");
  for (let count = 0; count < 3; count++) socket.send({ method: "whoami" });
  const { code, reason } = await socket.closed;
  assert.deepEqual([code, reason], [1008, "2 requests of the client wait already"]);
  assert.equal((await watcher.next()).event, "cancelled");
});

Deno.test("WEBSOCKET_MAX_BUFFER: a client whose requests wait with more bytes is closed with 1008", async () => {
  await using served = await serveSockets({ WEBSOCKET_MAX_BUFFER: 1_000 });
  await using socket = await RawSocket.open(served.ws);
  socket.send({ method: "slow", data: { key: "a", ms: 60_000 } });
  for (let count = 0; count < 2; count++) {
    socket.send({ method: "echo", data: { value: "x".repeat(2_000) } });
  }
  assert.equal((await socket.closed).code, 1008);
});

Deno.test("WEBSOCKET_MAX_CLIENTS: one more is refused with 503 until one leaves", async () => {
  await using served = await serveSockets({ WEBSOCKET_MAX_CLIENTS: 1 });
  {
    await using _first = await RawSocket.open(served.ws);
    const second = await connectByHand(served.ws);
    assert.match(await firstLine(second), /^HTTP\/1\.1 503 /);
    second.close();
  }
  await using _third = await RawSocket.open(served.ws);
});

Deno.test("WEBSOCKET_MAX_BUFFER: clients that never read cost a bounded memory, and nobody else a thing", async () => {
  const limit = 256 * 1024;
  await using server = await ServerProcess.start([SOCKET_SERVICE], { WEBSOCKET_MAX_BUFFER: limit });
  const ws = socketUrl(server.url);
  await using watcher = await RawSocket.open(ws);
  const connections: Deno.TcpConn[] = [];
  const count = 20;
  for (let index = 0; index < count; index++) {
    const connection = await connectByHand(ws);
    connections.push(connection);
    await connection.write(clientFrame('{"method": "join", "data": {"channel": "flood"}}'));
  }
  await watcher.call("join", { channel: "flood" });
  const text = "x".repeat(64 * 1024);
  const send = async () => {
    assert.equal((await watcher.call("say", { channel: "flood", text })).event, "said");
    assert.equal((await watcher.next()).success, true);
  };
  // What the kernel takes, and the limit of each, is full after some 10 MiB.
  for (let round = 0; round < 160; round++) await send();
  const before = await server.memory();
  for (let round = 0; round < 320; round++) await send();
  const grown = await server.memory() - before;
  const unbounded = 320 * text.length * count / 2 ** 20;
  assert.ok(grown < unbounded / 4, `the process has grown by ${grown} of ${unbounded} MiB`);
  for (const connection of connections) connection.close();
});

Deno.test("a client that did not read is closed with 1013 once it reads", async () => {
  await using served = await serveSockets({ WEBSOCKET_MAX_BUFFER: 1_000 });
  const connection = await connectByHand(served.ws);
  const fill = clientFrame('{"method": "fill", "data": {"bytes": 5000000}}');
  for (let count = 0; count < 20; count++) await connection.write(fill);
  const tail = await lastBytes(connection);
  // The close frame: its opcode, its length, 1013, and the reason.
  const reason = "the client left more than 1000 bytes unread";
  assert.deepEqual([...tail.subarray(0, 4)], [0x88, reason.length + 2, 1013 >> 8, 1013 & 255]);
  assert.equal(new TextDecoder().decode(tail.subarray(4)), reason);
  connection.close();

  /** The last frame before the server waits for an answer. */
  async function lastBytes(connection: Deno.TcpConn): Promise<Uint8Array> {
    const length = 2 + 2 + "the client left more than 1000 bytes unread".length;
    let tail = new Uint8Array(0);
    const buffer = new Uint8Array(1 << 20);
    for (;;) {
      const read = await connection.read(buffer);
      assert.notEqual(read, null);
      tail = new Uint8Array([...tail, ...buffer.subarray(Math.max(0, read! - length), read!)]).slice(-length);
      if (tail[0] === 0x88 && tail[2] === 1013 >> 8 && tail[3] === (1013 & 255)) return tail;
    }
  }
});

Deno.test("a client that never reads has no place any more some time after it was sent away", async () => {
  await using served = await serveSockets({ WEBSOCKET_MAX_BUFFER: 1_000, WEBSOCKET_MAX_CLIENTS: 1 });
  const connection = await connectByHand(served.ws);
  const fill = clientFrame('{"method": "fill", "data": {"bytes": 50000000}}');
  // The answer to the first is what finds too much before it.
  await connection.write(fill);
  for (let refused = true; refused;) {
    const other = await connectByHand(served.ws);
    refused = (await firstLine(other)).startsWith("HTTP/1.1 503 ");
    other.close();
  }
  connection.close();
});

Deno.test("WEBSOCKET_IDLE_TIMEOUT: a client that answers no ping is given up, and its subscriptions with it", async () => {
  await using served = await serveSockets({ WEBSOCKET_IDLE_TIMEOUT: 1 });
  await using watcher = await RawSocket.open(served.ws);
  const silent = await connectByHand(served.ws);
  await silent.write(clientFrame('{"method": "whoami"}'));
  const text = await readUntil(silent, '"success"');
  const id = /"data": "([^"]+)"/.exec(text)![1];
  await readUntil(silent, "No response from ping frame.");
  assert.deepEqual((await watcher.call("rooms", { of: id })).data, []);
  assert.equal((await watcher.call("tell", { text: "still here" })).event, "told");
  silent.close();
});

Deno.test("pages of other origins may not connect unless WEBSOCKET_ORIGINS names them", async (t) => {
  await using closed = await serveSockets();
  await using open = await serveSockets({ WEBSOCKET_ORIGINS: "*" });
  await using listed = await serveSockets({ WEBSOCKET_ORIGINS: ["https://shop.example"] });
  const own = new URL(closed.http).host;
  const cases: [string, string, string | undefined, number][] = [
    ["no origin, which only programs have", closed.ws, undefined, 101],
    ["the server's own", closed.ws, `http://${own}`, 101],
    ["the server's own behind a proxy with TLS", closed.ws, `https://${own}`, 101],
    ["another port", closed.ws, "http://127.0.0.1:1", 403],
    ["another host", closed.ws, "https://shop.example", 403],
    ["null, which pages in sandboxes have", closed.ws, "null", 403],
    ["any of all", open.ws, "https://shop.example", 101],
    ["one of the list", listed.ws, "https://shop.example", 101],
    ["the server's own beside the list", listed.ws, `http://${new URL(listed.http).host}`, 101],
    ["one that only begins like one of the list", listed.ws, "https://shop.example.org", 403],
  ];
  for (const [name, url, origin, status] of cases) {
    await t.step(`${name}: ${status}`, async () => {
      const connection = await connectByHand(url, origin === undefined ? {} : { Origin: origin });
      assert.match(await firstLine(connection), new RegExp(`^HTTP/1\\.1 ${status} `));
      connection.close();
    });
  }
});

async function firstLine(connection: Deno.TcpConn): Promise<string> {
  return (await readUntil(connection, "\r\n")).split("\r\n", 1)[0]!;
}

async function readUntil(connection: Deno.TcpConn, end: string): Promise<string> {
  const buffer = new Uint8Array(65_536);
  let text = "";
  while (!text.includes(end)) {
    const count = await connection.read(buffer);
    if (count === null) break;
    text += new TextDecoder().decode(buffer.subarray(0, count));
  }
  return text;
}
