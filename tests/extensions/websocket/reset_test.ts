/** Clients that reset their connection while it is taken over, of which Deno tells neither an open nor a close. */
import assert from "node:assert/strict";
import { Socket as TcpSocket } from "node:net";
import { OwnPages } from "../../../extensions/http/health/own_pages.ts";
import { HttpServer } from "../../../extensions/http/server.ts";
import { Socket } from "../../../extensions/websocket/sockets/socket.ts";
import { createLog } from "../../../runtime/log/log.ts";
import { ServerProcess } from "../http/server_process.ts";
import { connectTo, readUntil } from "../http/web_stage.ts";
import { connectByHand, handshake, SOCKET_SERVICE } from "./socket_stage.ts";

const MAX_CLIENTS = 20;

/** A connection that has sent a handshake. */
async function begin(url: string): Promise<TcpSocket> {
  const { hostname, port } = new URL(url);
  const socket = new TcpSocket();
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.connect(Number(port), hostname, () => socket.write(handshake(url), () => resolve()));
  await promise;
  return socket;
}

async function reset(socket: TcpSocket): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  socket.once("close", () => resolve());
  socket.resetAndDestroy();
  await promise;
}

/** Takes over a connection that is reset before Deno can. */
async function upgradeTooLate(request: Request, client: Promise<TcpSocket>): Promise<Deno.WebSocketUpgrade> {
  await reset(await client);
  return Deno.upgradeWebSocket(request);
}

Deno.test("clients that reset before they are taken over have no place, and do not hold up a stop", async () => {
  const config = { WEBSOCKET_MAX_CLIENTS: MAX_CLIENTS, grace: 60 };
  await using server = await ServerProcess.start([SOCKET_SERVICE], config);
  const url = `${server.url}/ws`;
  server.signal("SIGSTOP");
  for (let count = 0; count < MAX_CLIENTS; count++) await reset(await begin(url));
  server.signal("SIGCONT");
  // On a busy machine, the next request may be read before the resets are.
  let status = "";
  for (const end = performance.now() + 10_000; !status.includes(" 101 ") && performance.now() < end;) {
    const client = await connectByHand(url);
    status = await readUntil(client, "\r\n");
    client.close();
  }
  assert.match(status, /^HTTP\/1.1 101 /);
  const start = performance.now();
  server.signal("SIGTERM");
  await server.ended;
  assert.ok(performance.now() - start < 30_000);
});

Deno.test({
  name: "HttpServer.close() ends although a connection that was granted never opens",
  // What Deno waits for without end is a pending operation.
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const log = createLog({ emit: () => {} });
    const server = new HttpServer({
      address: { hostname: "127.0.0.1", port: 0 },
      hosts: undefined,
      maxBody: 0,
      contextHeaders: undefined,
      stallTimeout: 60_000,
      maxHeld: 0,
      tls: undefined,
      cors: undefined,
      health: false,
      openapi: undefined,
      asyncapi: undefined,
      docs: undefined,
      log,
      own: new OwnPages({ health: false, unready: () => [] }),
      setting: "the test",
    });
    const granted = Promise.withResolvers<void>();
    const client = Promise.withResolvers<TcpSocket>();
    server.addUpgrade("/ws", {
      name: "test",
      async upgrade(request) {
        const { response } = await upgradeTooLate(request, client.promise);
        setTimeout(granted.resolve);
        return { response };
      },
      hasUnopened: () => true,
      close: () => Promise.resolve(),
    });
    await server.listen();
    client.resolve(await begin(`${server.url}/ws`));
    await granted.promise;
    await server.close();
    await assert.rejects(connectTo(server.url!));
  },
});

Deno.test({
  name: "Socket counts as gone when its connection does not open in time",
  sanitizeOps: false,
  sanitizeResources: false,
  async fn() {
    const sockets = Promise.withResolvers<Socket>();
    const client = Promise.withResolvers<TcpSocket>();
    let left = 0;
    const server = Deno.serve({ hostname: "127.0.0.1", port: 0, onListen() {} }, async (request) => {
      const { socket, response } = await upgradeTooLate(request, client.promise);
      sockets.resolve(
        new Socket(socket, {
          maxMessage: 1,
          maxQueue: 1,
          maxBuffer: 1,
          request: { url: request.url, headers: [] },
          methods: { find: () => undefined },
          onOpen: () => assert.fail("it has opened"),
          onClose: () => left++,
          onRefused: () => assert.fail("it was refused"),
        }),
      );
      return response;
    });
    client.resolve(await begin(`http://127.0.0.1:${server.addr.port}/ws`));
    await (await sockets.promise).closed;
    assert.equal(left, 1);
  },
});
