import assert from "node:assert/strict";
import { readFile } from "node:fs/promises";
import { connectTo, ODD_SERVICE, readUntil, send, serveHttp } from "./web_stage.ts";
import { ServerProcess } from "./server_process.ts";

const HEAD = "HTTP/1.1\r\nhost: x\r\n";
const SLOW_CLIENTS = 1_000;
const NEVER_READING = 40;
/** Large enough not to fit the buffers of a connection. */
const LARGE = 20_000_000;
const FILES = /^Max open files\s+(\d+)/m;
const ENOUGH_FILES = Number(
  FILES.exec(await readFile("/proc/self/limits", "utf8").catch(() => ""))?.[1] ?? 0,
);
const needsProc = { ignore: ENOUGH_FILES === 0 };
const needsSockets = { ignore: ENOUGH_FILES < 3 * SLOW_CLIENTS };

async function connectMany(server: ServerProcess, count: number): Promise<Deno.TcpConn[]> {
  const connections: Deno.TcpConn[] = [];
  // The backlog of a listener is short.
  while (connections.length < count) {
    connections.push(...await Promise.all(Array.from({ length: 50 }, () => connectTo(server.url))));
  }
  return connections;
}

/** Milliseconds that the slowest of some requests took. */
async function slowest(server: ServerProcess, requests = 50): Promise<number> {
  let longest = 0;
  for (let asked = 0; asked < requests; asked++) {
    const start = performance.now();
    assert.equal(await (await fetch(`${server.url}/items/7`)).text(), "7");
    longest = Math.max(longest, performance.now() - start);
  }
  return longest;
}

Deno.test({
  name: "1,000 clients whose requests trickle in cost little, and others are answered meanwhile",
  ...needsSockets,
  async fn() {
    await using server = await ServerProcess.start([ODD_SERVICE], { max_workers: 2 });
    await slowest(server);
    const before = await server.memory();
    const connections = await connectMany(server, SLOW_CLIENTS);
    await Promise.all(connections.map(async (connection, index) => {
      const text = index % 2 === 0
        ? `GET /items/1 ${HEAD}x-slow: `
        : `POST /body ${HEAD}content-length: 60000\r\n\r\n`;
      await send(connection, text);
    }));
    for (let round = 0; round < 20; round++) {
      await Promise.all(connections.map((connection) => send(connection, "slow")));
      assert.ok(await slowest(server, 5) < 1_000);
    }
    const growth = await server.memory() - before;
    for (const connection of connections) connection.close();
    assert.ok(growth < 150, `grew by ${growth.toFixed(0)} MiB`);
  },
});

Deno.test({
  name: "clients that never read large responses cost HTTP_MAX_HELD, and others are answered meanwhile",
  ...needsProc,
  async fn() {
    await using server = await ServerProcess.start([ODD_SERVICE], { HTTP_MAX_HELD: 50_000_000 });
    await slowest(server);
    const before = await server.memory();
    const connections = await connectMany(server, NEVER_READING);
    for (const connection of connections) {
      await send(connection, `GET /bytes/${LARGE} ${HEAD}\r\n`);
      await readUntil(connection, "\r\n\r\n");
    }
    assert.ok(await slowest(server) < 1_000);
    const growth = await server.memory() - before;
    for (const connection of connections) connection.close();
    assert.ok(growth < 550, `grew by ${growth.toFixed(0)} MiB of ${NEVER_READING * LARGE / 2 ** 20}`);
  },
});

for (const kind of ["text", "bytes"]) {
  Deno.test({
    name: `bodies that are given up leave the memory, while their clients stay: ${kind}`,
    ...needsProc,
    async fn() {
      const [clients, size] = [200, 8_000_000];
      await using server = await ServerProcess.start([ODD_SERVICE], {
        HTTP_MAX_HELD: 50_000_000,
        max_workers: 2,
      });
      await slowest(server);
      const before = await server.memory();
      const connections = await connectMany(server, clients);
      // All at once, so that most of them wait for a thread.
      await Promise.all(connections.map(async (connection) => {
        await send(connection, `GET /${kind}/${size} ${HEAD}\r\n`);
        await readUntil(connection, "\r\n\r\n");
      }));
      const growth = await server.memory() - before;
      for (const connection of connections) connection.close();
      assert.ok(growth < 600, `grew by ${growth.toFixed(0)} MiB of ${(clients * size / 2 ** 20).toFixed(0)}`);
    },
  });
}

Deno.test("large text with letters of four bytes arrives whole", async () => {
  await using running = await serveHttp([ODD_SERVICE]);
  for (const shift of [0, 1, 2, 3]) {
    const response = await fetch(`${running.http}/faces/${shift}`, {
      headers: { "accept-encoding": "identity" },
    });
    const text = await response.text();
    assert.ok(text === "x".repeat(shift) + "\u{1f600}".repeat(100_000), `after ${shift} letters`);
    assert.equal(response.headers.get("content-length"), String(shift + 400_000));
  }
});

Deno.test("a client that stands still in its response is given up, and one that goes on is not", async () => {
  await using running = await serveHttp([ODD_SERVICE], { HTTP_STALL_TIMEOUT: 0.4 });
  const still = await connectTo(running.http);
  const slow = await connectTo(running.http);
  for (const connection of [still, slow]) await send(connection, `GET /bytes/${LARGE} ${HEAD}\r\n`);
  const buffer = new Uint8Array(1_000_000);
  let received = 0;
  let pauses = 0;
  while (received < LARGE) {
    const count = await slow.read(buffer);
    assert.notEqual(count, null, `the response ended after ${received} bytes`);
    received += count!;
    if (received < 2_000_000 * (pauses + 1)) continue;
    pauses++;
    await new Promise((resolve) => setTimeout(resolve, 100));
  }
  slow.close();
  received = 0;
  while (received < LARGE) {
    const count = await still.read(buffer).catch(() => null);
    if (count === null) break;
    received += count;
  }
  still.close();
  assert.ok(received < LARGE, `${received} bytes came`);
});

Deno.test("a client that stands still in a stream frees its place in the pool", async () => {
  await using running = await serveHttp([ODD_SERVICE], { max_workers: 1, HTTP_STALL_TIMEOUT: 0.3 });
  using connection = await connectTo(running.http);
  await send(connection, `GET /endless ${HEAD}\r\n`);
  await readUntil(connection, "\r\n\r\n");
  assert.equal(await (await fetch(`${running.http}/items/7`)).text(), "7");
});

Deno.test("a stream that has nothing to send is not given up", async () => {
  await using running = await serveHttp([ODD_SERVICE], { HTTP_STALL_TIMEOUT: 0.1 });
  const stream = await fetch(`${running.http}/patient`);
  const reader = stream.body!.getReader();
  await reader.read();
  const next = reader.read();
  const waited = new Promise((resolve) => setTimeout(() => resolve("nothing"), 400));
  assert.equal(await Promise.race([next, waited]), "nothing");
  const stopped = running.shutdown();
  assert.equal((await next).done, false);
  await reader.cancel();
  await stopped;
});

for (const length of [10, 200_000]) {
  Deno.test(`a body of ${length} bytes that does not go on arriving is 408`, async () => {
    await using running = await serveHttp([ODD_SERVICE], { HTTP_STALL_TIMEOUT: 0.2 });
    using connection = await connectTo(running.http);
    await send(connection, `POST /body ${HEAD}content-length: ${length}\r\n\r\nonly`);
    assert.match(await readUntil(connection, "}"), /^HTTP\/1.1 408 .*The body did not arrive in time"\}$/s);
  });
}

Deno.test("a body that trickles in, and never stands still, arrives", async () => {
  await using running = await serveHttp([ODD_SERVICE], { HTTP_STALL_TIMEOUT: 0.3 });
  using connection = await connectTo(running.http);
  await send(connection, `POST /body ${HEAD}content-length: 100000\r\n\r\n`);
  for (let part = 0; part < 10; part++) {
    await send(connection, "x".repeat(10_000));
    await new Promise((resolve) => setTimeout(resolve, 60));
  }
  assert.match(await readUntil(connection, "\r\n\r\n100000"), /^HTTP\/1.1 200 OK/);
});

Deno.test("large responses arrive whole, text and bytes, compressed and not", async () => {
  await using running = await serveHttp([ODD_SERVICE]);
  for (const encoding of ["gzip", "identity"]) {
    const ask = (path: string) => fetch(running.http + path, { headers: { "accept-encoding": encoding } });
    const bytes = await ask("/bytes/1000000");
    if (encoding === "identity") assert.equal(bytes.headers.get("content-length"), "1000000");
    assert.deepEqual(await bytes.bytes(), new Uint8Array(1_000_000).fill(97));
    assert.equal(await (await ask("/text/1000000")).text(), "é".repeat(500_000));
  }
});
