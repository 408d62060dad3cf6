import { deepStrictEqual } from "node:assert/strict";
import { createServer, type Server } from "node:net";
import { preferNewestListener } from "../../extensions/cli/processes/newest_listener.ts";
import { freePort } from "../fixtures/free_port.ts";

async function listen(port: number, take: () => void): Promise<Server> {
  const server = createServer((socket) => {
    take();
    socket.end("taken");
  });
  const listening = Promise.withResolvers<void>();
  // The types of Node do not know this option yet.
  const options = { port, host: "127.0.0.1", reusePort: true };
  server.listen(options, () => listening.resolve());
  await listening.promise;
  return server;
}

function close(server: Server): Promise<void> {
  return new Promise((resolve) => server.close(() => resolve()));
}

async function visit(port: number): Promise<void> {
  using connection = await Deno.connect({ hostname: "127.0.0.1", port });
  await connection.read(new Uint8Array(8));
}

Deno.test({
  name: "preferNewestListener() gives all connections to the newest of more sockets than there are processes",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const port = freePort();
    const counts = [0, 0, 0];
    const servers: Server[] = [];
    for (const index of counts.keys()) servers.push(await listen(port, () => counts[index]!++));
    preferNewestListener(2);
    for (let visits = 0; visits < 30; visits++) await visit(port);
    deepStrictEqual(counts, [0, 0, 30]);
    await close(servers[0]!);
    while (counts[1] === 0) await visit(port);
    await Promise.all(servers.slice(1).map(close));
  },
});
