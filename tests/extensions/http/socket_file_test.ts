import assert from "node:assert/strict";
import { ODD_SERVICE, readUntil, send, serveHttp } from "./web_stage.ts";
import { ServerProcess } from "./server_process.ts";

async function withFolder(test: (path: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-socket-" });
  try {
    await test(`${folder}/web.sock`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

async function ask(path: string): Promise<void> {
  using connection = await Deno.connect({ transport: "unix", path });
  await send(connection, "GET /items/7 HTTP/1.1\r\nhost: x\r\n\r\n");
  assert.match(await readUntil(connection, "\r\n\r\n7"), /^HTTP\/1.1 200/);
}

async function exists(path: string): Promise<boolean> {
  return await Deno.lstat(path).then(() => true, () => false);
}

Deno.test("HttpServer.listen() takes the place of a killed process at a Unix socket, and leaves no file", async () => {
  await withFolder(async (path) => {
    const config = { WEB_SERVER_ADDRESS: `unix:${path}` };
    {
      await using killed = await ServerProcess.start([ODD_SERVICE], config);
      killed.signal("SIGKILL");
      await killed.ended;
    }
    assert.ok(await exists(path));
    {
      await using _running = await serveHttp([ODD_SERVICE], config);
      await ask(path);
    }
    assert.ok(!(await exists(path)));
  });
});

Deno.test("HttpServer.listen() refuses a Unix socket that another listens at, which goes on", async () => {
  await withFolder(async (path) => {
    const config = { WEB_SERVER_ADDRESS: `unix:${path}` };
    await using _running = await serveHttp([ODD_SERVICE], config);
    await assert.rejects(serveHttp([ODD_SERVICE], config), {
      name: "ConfigurationError",
      message:
        `Cannot listen on unix:${path}: another process listens there. Stop it, or choose another address ` +
        "with --http or WEB_SERVER_ADDRESS",
    });
    await ask(path);
  });
});

Deno.test("HttpServer.listen() removes no file that is no socket", async () => {
  await withFolder(async (path) => {
    await Deno.writeTextFile(path, "precious");
    await assert.rejects(serveHttp([ODD_SERVICE], { WEB_SERVER_ADDRESS: `unix:${path}` }), {
      name: "ConfigurationError",
      message:
        `Cannot listen on unix:${path}: the file there is not a socket. Remove it, or choose another ` +
        "address with --http or WEB_SERVER_ADDRESS",
    });
    assert.equal(await Deno.readTextFile(path), "precious");
  });
});

Deno.test("HttpServer.listen() says that the folder of a Unix socket is missing", async () => {
  await assert.rejects(serveHttp([ODD_SERVICE], { WEB_SERVER_ADDRESS: "unix:/nowhere/web.sock" }), {
    name: "ConfigurationError",
    message: /^Cannot listen on unix:\/nowhere\/web\.sock: /,
  });
});
