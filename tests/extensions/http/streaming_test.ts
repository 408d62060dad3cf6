import { deepStrictEqual, match, ok, rejects, strictEqual } from "node:assert/strict";
import { ServerProcess } from "./server_process.ts";
import { connectTo, noted, notesOf, readUntil, send, serveHttp, WEB_SERVICE } from "./web_stage.ts";

/** All calls in one thread, whose notes can be asked for meanwhile. */
const ONE_THREAD = { max_workers: 1, concurrency: 10 };

Deno.test("http() sends objects of an async iterable as server-sent events", async () => {
  await using running = await serveHttp();
  const response = await fetch(`${running.http}/feed`);
  strictEqual(response.headers.get("content-type"), "text/event-stream");
  strictEqual(
    await response.text(),
    'event: price\nid: 1\ndata: {"at":7}\n\ndata: {"anything":["else"]}\n\ndata: two\ndata: lines\n\n',
  );
});

Deno.test("http() sends text of an async iterable as it is, under the content type that is stated", async () => {
  await using running = await serveHttp();
  const response = await fetch(`${running.http}/lines`);
  strictEqual(response.headers.get("content-type"), "application/x-ndjson");
  strictEqual(await response.text(), "1\n2\n3\n");
});

Deno.test("http() sends the stream of a Response bit by bit", async () => {
  await using running = await serveHttp();
  const reader = (await fetch(`${running.http}/slowly`)).body!.pipeThrough(new TextDecoderStream())
    .getReader();
  deepStrictEqual([(await reader.read()).value, (await reader.read()).value], ["first ", "second"]);
  ok((await reader.read()).done);
});

Deno.test("http() cuts a stream short whose handler fails", async () => {
  await using running = await serveHttp();
  const response = await fetch(`${running.http}/broken`);
  strictEqual(response.status, 200);
  await rejects(response.text());
});

Deno.test("http() ends the iterator of a client that leaves", async () => {
  await using running = await serveHttp([WEB_SERVICE], ONE_THREAD);
  const response = await fetch(`${running.http}/endless`);
  const reader = response.body!.getReader();
  await reader.read();
  strictEqual(running.containers.get("web")!.pool.active, 1);
  await reader.cancel();
  await noted(running.http, "ended");
});

Deno.test("http() produces nothing for a client that does not read", async () => {
  await using running = await serveHttp([WEB_SERVICE], ONE_THREAD);
  using connection = await connectTo(running.http);
  await send(connection, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n");
  await readUntil(connection, "\r\n\r\n");
  let sent = "";
  for (let same = 0; same < 20;) {
    const [now = ""] = await notesOf(running.http);
    same = now === sent ? same + 1 : 0;
    sent = now;
  }
  const [, chunks] = /^sent (\d+)$/.exec(sent)!;
  ok(Number(chunks) < 300, `${chunks} chunks of 64 KiB were produced`);
  connection.close();
  await noted(running.http, "ended");
});

Deno.test("http() bounds what 200 clients cost that do not read", async () => {
  await using server = await ServerProcess.start([WEB_SERVICE], { max_workers: 4, concurrency: 60 });
  const connections = await Promise.all(Array.from({ length: 200 }, () => connectTo(server.url)));
  await Promise.all(
    connections.map((connection) => send(connection, "GET /endless HTTP/1.1\r\nhost: x\r\n\r\n")),
  );
  await Promise.all(connections.map((connection) => readUntil(connection, "\r\n\r\n")));
  const ask = async (times: number) => {
    for (let asked = 0; asked < times; asked++) await (await fetch(`${server.url}/text`)).text();
    return await server.memory();
  };
  // Until the sockets are full, what is sent is sent.
  const before = await ask(300);
  const growth = await ask(300) - before;
  for (const connection of connections) connection.close();
  ok(growth < 100, `${growth.toFixed(0)} MiB`);
});

Deno.test("http() aborts the signals of a handler whose client has left", async () => {
  await using running = await serveHttp([WEB_SERVICE], ONE_THREAD);
  const connection = await connectTo(running.http);
  await send(connection, "GET /wait HTTP/1.1\r\nhost: x\r\n\r\n");
  await noted(running.http, "waiting");
  connection.close();
  await noted(running.http, "request aborted");
  deepStrictEqual(await notesOf(running.http), ["waiting", "call AbortError", "request aborted"]);
});

Deno.test("http() keeps requests from a body that is too large, stated or not", async () => {
  await using running = await serveHttp([WEB_SERVICE], { HTTP_MAX_BODY: 10 });
  const post = (body: BodyInit) => fetch(`${running.http}/echo`, { method: "POST", body });
  const fits = await post("0123456789");
  deepStrictEqual([fits.status, await fits.text()], [201, "0123456789"]);
  for (
    const body of [
      "01234567890",
      ReadableStream.from(["012345", "67890"]).pipeThrough(new TextEncoderStream()),
    ]
  ) {
    const response = await post(body);
    strictEqual(response.status, 413);
    match(await response.text(), /The body may have 10 bytes at most/);
  }
});

Deno.test("what would be sent is ended where the status has no body", async () => {
  await using running = await serveHttp([WEB_SERVICE], ONE_THREAD);
  for (const kind of ["stream", "items"]) {
    strictEqual((await fetch(`${running.http}/discarded?${kind}`)).status, 204);
  }
  deepStrictEqual(await notesOf(running.http), ["cancelled", "returned"]);
});
