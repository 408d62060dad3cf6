/** Bytes for the sockets of the HTTP server: whatever a client sends, the others are served. */
import assert from "node:assert/strict";
import { connectTo, readUntil, serveHttp, WEB_SERVICE } from "../extensions/http/web_stage.ts";
import { connectByHand, RawSocket, SOCKET_SERVICE } from "../extensions/websocket/socket_stage.ts";
import { Random } from "./random.ts";

/** Clients of each kind. */
const CLIENTS = 200;

const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 1);

/** Sends bytes, says that no more come, and reads what the server has to say to them. */
async function sendAll(connection: Deno.TcpConn, bytes: Uint8Array): Promise<void> {
  try {
    for (let sent = 0; sent < bytes.length;) sent += await connection.write(bytes.subarray(sent));
    await connection.closeWrite();
    for (const buffer = new Uint8Array(65_536); await connection.read(buffer) !== null;);
  } catch {
    // The server may reset a connection that makes no sense.
  } finally {
    connection.close();
  }
}

function request(random: Random): Uint8Array {
  const head = [
    `${random.pick(["GET", "POST", "HEAD", "OPTIONS", random.text(20)])} /${random.text(2_000)} HTTP/1.1`,
    `Host: ${random.pick(["a", "a/b", random.text(200)])}`,
    `${random.pick(["Content-Type", "Content-Length", "Transfer-Encoding", "X-A"])}: ${random.text(8_000)}`,
    `Content-Length: ${random.below(50)}`,
  ];
  return new TextEncoder().encode(`${head.join("\r\n")}\r\n\r\n${random.text(100)}`);
}

function frames(random: Random): Uint8Array {
  const frame = () => {
    const payload = random.bytes(2_000);
    const size = payload.length < 126
      ? [0x80 | payload.length]
      : [0x80 | 126, payload.length >> 8, payload.length & 255];
    const kind = random.pick([0x81, 0x82, 0x01, 0x80, 0x89, random.below(256)]);
    return [kind, ...size, 0, 0, 0, 0, ...payload];
  };
  return Uint8Array.from(Array.from({ length: 1 + random.below(5) }, frame).flat());
}

Deno.test("an HTTP server answers its clients, whatever another one sends", async () => {
  await using served = await serveHttp([WEB_SERVICE]);
  const random = new Random(SEED);
  for (let client = 0; client < CLIENTS; client++) {
    await sendAll(await connectTo(served.http), request(random));
    if (client % 20 > 0) continue;
    const response = await fetch(`${served.http}/text`);
    assert.equal(response.status, 200);
    await response.body?.cancel();
  }
});

Deno.test("a WebSocket server answers its clients, whatever another one sends", async () => {
  await using served = await serveHttp([SOCKET_SERVICE]);
  const url = `${served.http.replace("http", "ws")}/ws`;
  await using other = await RawSocket.open(url);
  const random = new Random(SEED);
  for (let client = 0; client < CLIENTS; client++) {
    const connection = await connectByHand(url);
    assert.match(await readUntil(connection, "\r\n\r\n"), /^HTTP\/1.1 101 /);
    // The server may reset a connection that makes no sense.
    await connection.write(frames(random)).catch(() => {});
    connection.close();
    if (client % 20 > 0) continue;
    assert.equal((await other.call("add", { a: 1, b: client })).data, client + 1);
  }
});
