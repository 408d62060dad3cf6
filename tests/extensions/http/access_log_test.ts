import assert from "node:assert/strict";
import { MAX_LOGGED_TEXT } from "../../../runtime/log/bounded_text.ts";
import { configureLogging, observeRecords } from "../../../runtime/log/observe.ts";
import { connectTo, ODD_SERVICE, readUntil, send, serveHttp } from "./web_stage.ts";

interface Line {
  readonly level: string;
  readonly message: string;
  readonly request?: string;
  readonly properties?: { readonly client?: string; readonly cut?: boolean };
}

const lines: Line[] = [];

/** Lines about requests, as they come. */
function record(level: string): void {
  lines.length = 0;
  configureLogging({ level, format: "json", write: (line) => void lines.push(JSON.parse(line)) });
}

Deno.test("HttpServer logs method, path, status, duration, bytes and client of each request", async () => {
  record("info");
  {
    await using running = await serveHttp([ODD_SERVICE]);
    const ask = async (path: string, init?: RequestInit) =>
      await (await fetch(running.http + path, init)).text();
    await ask("/items/7?token=secret");
    await ask("/items/7", { method: "HEAD" });
    await ask("/nowhere");
    await ask("/bytes/1000000");
    await ask("/download");
  }
  const requests = lines.filter(({ properties }) => properties?.client !== undefined);
  assert.deepEqual(
    requests.map(({ level, message, properties }) =>
      `${level} ${message.replace(/ \d+\.\d ms /, " N ms ")} ${properties?.client}`
    ),
    [
      "info GET /items/7 200 N ms 1 bytes 127.0.0.1",
      "info HEAD /items/7 200 N ms 0 bytes 127.0.0.1",
      "info GET /nowhere 404 N ms 10 bytes 127.0.0.1",
      "info GET /bytes/1000000 200 N ms 1000000 bytes 127.0.0.1",
      "info GET /download 200 N ms 100 bytes 127.0.0.1",
    ],
  );
  assert.ok(Number(/ (\d+\.\d) ms /.exec(requests[4]!.message)![1]) >= 190, requests[4]!.message);
});

Deno.test("the lines about a request, and about its handler's failure, name its id", async () => {
  record("info");
  let made: string | null;
  {
    await using running = await serveHttp([ODD_SERVICE]);
    await (await fetch(`${running.http}/items/7`, { headers: { "x-request-id": "given" } })).text();
    const response = await fetch(`${running.http}/cyclic`);
    await response.text();
    made = response.headers.get("x-request-id");
  }
  const found = (id: string | null) =>
    lines.filter(({ request }) => request === id).map(({ message }) => message.split(" ", 3).join(" "));
  assert.deepEqual(found("given"), ["GET /items/7 200"]);
  assert.deepEqual(found(made), ["http odd.cyclic failed:", "GET /cyclic 500"]);
});

for (
  const [what, path] of [["a complete answer", "/work?ms=400"], ["the end of a stream", "/ticks"]] as const
) {
  Deno.test(`the line about a request says that its client has not had ${what}`, async () => {
    record("info");
    {
      await using running = await serveHttp([ODD_SERVICE], { max_workers: 1, concurrency: 10 });
      const connection = await connectTo(running.http);
      await send(connection, `GET ${path} HTTP/1.1\r\nhost: x\r\n\r\n`);
      if (path === "/ticks") await readUntil(connection, "tick");
      connection.close();
      await (await fetch(`${running.http}/work?ms=400`)).text();
    }
    const told = lines.filter(({ message }) => message.startsWith("GET /")).map(({ properties }) =>
      properties?.cut
    );
    assert.deepEqual(told.toSorted(), [true, undefined]);
  });
}

Deno.test("HttpServer logs how many bytes a client took that left", async () => {
  record("info");
  await using running = await serveHttp([ODD_SERVICE], { max_workers: 1, concurrency: 10 });
  const connection = await connectTo(running.http);
  await send(connection, "GET /bytes/50000000 HTTP/1.1\r\nhost: x\r\n\r\n");
  await readUntil(connection, "\r\n\r\n");
  connection.close();
  while (lines.length === 0) {
    await (await fetch(`${running.http}/nowhere`, { method: "OPTIONS" })).body?.cancel();
  }
  const all = () => lines.find(({ message }) => message.includes("/bytes/50000000"));
  while (all() === undefined) await new Promise((resolve) => setTimeout(resolve, 10));
  const [, bytes] = / (\d+) bytes$/.exec(all()!.message)!;
  assert.ok(Number(bytes) > 0 && Number(bytes) < 50_000_000, bytes);
});

Deno.test("HttpServer logs no requests below level info", async () => {
  record("warning");
  {
    await using running = await serveHttp([ODD_SERVICE]);
    await (await fetch(`${running.http}/items/7`)).text();
  }
  assert.deepEqual(lines, []);
});

Deno.test("whoever follows the log gets no more of a host that is not served than a line shows", async () => {
  record("info");
  const hosts: unknown[] = [];
  const ended = observeRecords(({ properties }) => void (properties?.host && hosts.push(properties.host)));
  {
    await using running = await serveHttp([ODD_SERVICE], { HTTP_HOSTS: "shop.example" });
    const connection = await connectTo(running.http);
    const host = "a".repeat(3 * MAX_LOGGED_TEXT);
    await send(connection, `GET /items/7 HTTP/1.1\r\nhost: ${host}\r\nconnection: close\r\n\r\n`);
    assert.match(await readUntil(connection, "never"), /^HTTP\/1.1 421 /);
    connection.close();
  }
  ended();
  assert.equal(hosts.length, 1);
  assert.ok(String(hosts[0]).length <= MAX_LOGGED_TEXT, `${String(hosts[0]).length} characters`);
});
