import { deepStrictEqual, match, rejects, strictEqual } from "node:assert/strict";
import { parseListenAddress } from "../../../extensions/http/listening/listen_address.ts";
import { connectTo, noted, readUntil, send, serveHttp, takenPort, WEB_SERVICE } from "./web_stage.ts";

const EXAMPLE = new URL("../../../examples/http/", import.meta.url).pathname;

Deno.test("HttpServer serves two services at one address", async () => {
  await using running = await serveHttp([WEB_SERVICE, `${EXAMPLE}get_post.ts`]);
  const texts = ["/text", "/get/1"].map(async (path) => await (await fetch(running.http + path)).text());
  deepStrictEqual(await Promise.all(texts), ["text", '{"values": 1}']);
});

Deno.test("HttpServer.add() refuses the same rule of two services", async () => {
  const twin = `data:application/typescript,${
    encodeURIComponent(
      `import { http, service } from ${JSON.stringify(import.meta.resolve("../../../mod.ts"))};
       export default service("twin", { entrypoints: { text: http("GET", "/text") }, handlers: { text: () => "" } });`,
    )
  }`;
  await rejects(serveHttp([WEB_SERVICE, twin]), {
    name: "ConfigurationError",
    message: "Cannot serve GET /text twice: web.text and twin.text have it",
  });
});

Deno.test("HttpServer.listen() says that the port is in use, and what to do", async () => {
  await using taken = await takenPort();
  await rejects(serveHttp([WEB_SERVICE], { WEB_SERVER_ADDRESS: `127.0.0.1:${taken.port}` }), {
    name: "ConfigurationError",
    message: `Cannot listen on 127.0.0.1:${taken.port}: the port is in use. ` +
      "Choose another address with --http or WEB_SERVER_ADDRESS",
  });
});

Deno.test("HttpServer listens on a Unix socket", async () => {
  const folder = await Deno.makeTempDir();
  const path = `${folder}/web.sock`;
  {
    await using running = await serveHttp([WEB_SERVICE], { WEB_SERVER_ADDRESS: `unix:${path}` });
    strictEqual(running.http, `unix:${path}`);
    using connection = await Deno.connect({ transport: "unix", path });
    await send(connection, "GET /text HTTP/1.1\r\nhost: x\r\n\r\n");
    match(await readUntil(connection, "\r\n\r\ntext"), /^HTTP\/1.1 200/);
  }
  await Deno.remove(folder, { recursive: true });
});

Deno.test("HttpServer answers other requests while a handler never returns", async () => {
  await using running = await serveHttp([WEB_SERVICE], { max_workers: 2, grace: 0.2 });
  const leaving = new AbortController();
  const spinning = fetch(`${running.http}/spin`, { signal: leaving.signal }).catch(() => {});
  for (let asked = 0; asked < 5; asked++) {
    strictEqual(await (await fetch(`${running.http}/text`)).text(), "text");
  }
  leaving.abort();
  await spinning;
});

Deno.test("HttpServer.close() answers what is here, and lets nobody in", async () => {
  const running = await serveHttp([WEB_SERVICE], { max_workers: 1, concurrency: 10 });
  using connection = await connectTo(running.http);
  await send(connection, "GET /wait?ms=300 HTTP/1.1\r\nhost: x\r\n\r\n");
  await noted(running.http, "waiting");
  const stopped = running.shutdown();
  await rejects(connectTo(running.http));
  match(await readUntil(connection, "waited"), /^HTTP\/1.1 200(?:.*\r\n)+\r\nwaited$/);
  await stopped;
});

Deno.test("HttpServer.close() answers requests that wait for a thread", async () => {
  const running = await serveHttp([WEB_SERVICE], { max_workers: 1 });
  const asked = [1, 2, 3].map(() => connectTo(running.http));
  const connections = await Promise.all(asked);
  for (const connection of connections) await send(connection, "GET /wait?ms=50 HTTP/1.1\r\nhost: x\r\n\r\n");
  const container = running.containers.get("web")!;
  while (container.pool.active + container.pool.queued < 3) {
    await new Promise((resolve) => setImmediate(resolve));
  }
  const stopped = running.shutdown();
  for (const connection of connections) {
    match(await readUntil(connection, "waited"), /^HTTP\/1.1 200/);
    connection.close();
  }
  await stopped;
});

Deno.test("HttpServer lets pages of the stated origins read responses", async () => {
  const origin = "https://shop.example";
  await using running = await serveHttp([WEB_SERVICE], {
    HTTP_CORS: { origins: [origin], credentials: true },
  });
  const preflight = await fetch(`${running.http}/echo`, {
    method: "OPTIONS",
    headers: { origin, "access-control-request-method": "PUT", "access-control-request-headers": "x-a" },
  });
  await preflight.body?.cancel();
  const granted = ["allow-origin", "allow-methods", "allow-headers", "allow-credentials", "max-age"];
  deepStrictEqual(granted.map((name) => preflight.headers.get(`access-control-${name}`)), [
    origin,
    "OPTIONS, POST, PUT",
    "x-a",
    "true",
    "600",
  ]);
  const other = await fetch(`${running.http}/text`, { headers: { origin: "https://evil.example" } });
  strictEqual(await other.text(), "text");
  strictEqual(other.headers.get("access-control-allow-origin"), null);
});

Deno.test("HttpServer has no health paths where the configuration says so", async () => {
  await using running = await serveHttp([WEB_SERVICE], { HTTP_HEALTH: false });
  for (const path of ["/healthz", "/readyz"]) {
    const response = await fetch(running.http + path);
    await response.body?.cancel();
    strictEqual(response.status, 404);
  }
});

for (
  const [text, address] of [
    ["8000", { hostname: "0.0.0.0", port: 8000 }],
    ["localhost:0", { hostname: "localhost", port: 0 }],
    ["[::1]:80", { hostname: "::1", port: 80 }],
    ["unix:/run/web.sock", { path: "/run/web.sock" }],
  ] as const
) {
  Deno.test(`parseListenAddress() reads ${text}`, () => deepStrictEqual(parseListenAddress(text), address));
}

Deno.test("HttpServer says that ports end at 65535", async () => {
  await rejects(serveHttp([WEB_SERVICE], { WEB_SERVER_ADDRESS: "1.2.3.4:70000" }), {
    name: "ConfigurationError",
    message: "Cannot use HTTP address 1.2.3.4:70000 (--http or WEB_SERVER_ADDRESS): ports go up to 65535",
  });
});

for (const text of [":8000", "localhost", "::1:80", "http://x:80", "unix:"]) {
  Deno.test(`HttpServer refuses the address ${text}`, async () => {
    await rejects(serveHttp([WEB_SERVICE], { WEB_SERVER_ADDRESS: text }), {
      name: "ConfigurationError",
      message:
        `Cannot use address "${text}" (--http or WEB_SERVER_ADDRESS): expected [host:]port or unix:/path`,
    });
  });
}
