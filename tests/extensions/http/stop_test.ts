import assert from "node:assert/strict";
import { connectTo, ODD_SERVICE, readUntil, send, serveHttp } from "./web_stage.ts";
import { ServerProcess } from "./server_process.ts";

const MANY = { max_workers: 1, concurrency: 10 };

/** The chunks of a stream as text, one by one. */
async function openStream(url: string): Promise<ReadableStreamDefaultReader<string>> {
  const reader = (await fetch(url)).body!.pipeThrough(new TextDecoderStream()).getReader();
  await reader.read();
  return reader;
}

async function rest(reader: ReadableStreamDefaultReader<string>): Promise<string> {
  let text = "";
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return text;
    text += value;
  }
}

Deno.test("HttpHost.stop() tells streams, which may say goodbye", async () => {
  await using running = await serveHttp([ODD_SERVICE], { ...MANY, grace: 20 });
  const stream = await openStream(`${running.http}/patient`);
  const stopped = running.shutdown();
  assert.equal(await rest(stream), "event: end\ndata: ContainerStoppingError\n\n");
  await stopped;
});

Deno.test("HttpHost.stop() ends server-sent events that go on, with the next one", async () => {
  await using running = await serveHttp([ODD_SERVICE], { ...MANY, grace: 20 });
  const stream = await openStream(`${running.http}/ticks`);
  const stopped = running.shutdown();
  assert.match(await rest(stream), /^(?:data: \{"tick":\d+\}\n\n)*$/);
  await stopped;
});

Deno.test("HttpHost.stop() lets other streams end by themselves", async () => {
  await using running = await serveHttp([ODD_SERVICE], { ...MANY, grace: 20 });
  const stream = await openStream(`${running.http}/download`);
  const stopped = running.shutdown();
  assert.equal(await rest(stream), "part ".repeat(19));
  await stopped;
});

Deno.test("HttpHost.stop() cuts streams that have not ended within grace", async () => {
  await using running = await serveHttp([ODD_SERVICE], { ...MANY, grace: 0.3 });
  const stream = await openStream(`${running.http}/endless`);
  const stopped = running.shutdown();
  await assert.rejects(rest(stream));
  await stopped;
});

Deno.test("HttpHost.stop() ends although a client does not take its response", async () => {
  await using running = await serveHttp([ODD_SERVICE], { grace: 0.3 });
  using connection = await connectTo(running.http);
  await send(connection, "GET /bytes/20000000 HTTP/1.1\r\nhost: x\r\n\r\n");
  await readUntil(connection, "\r\n\r\n");
  await running.shutdown();
});

Deno.test("a process that is told to stop answers every request that it has accepted", async () => {
  await using server = await ServerProcess.start([ODD_SERVICE], { max_workers: 4, concurrency: 10 });
  let answered = 0;
  const cut: string[] = [];
  let stopping = false;
  const client = async () => {
    using connection = await connectTo(server.url);
    for (;;) {
      const before = stopping;
      let text = "";
      try {
        await send(connection, "GET /work?ms=50 HTTP/1.1\r\nhost: x\r\n\r\n");
        text = await readUntil(connection, "worked");
      } catch {
        // The connection was closed before it was used.
      }
      if (/^HTTP\/1.1 200 OK\r\n(?:.+\r\n)+\r\nworked$/.test(text)) answered++;
      else {
        // Nothing at all means that the request came too late.
        if (text !== "" || !(stopping || before)) cut.push(text);
        return;
      }
    }
  };
  const clients = Array.from({ length: 200 }, client);
  while (answered < 400) await new Promise((resolve) => setTimeout(resolve, 5));
  stopping = true;
  server.signal("SIGTERM");
  await Promise.all(clients);
  assert.equal((await server.ended).code, 0);
  assert.deepEqual(cut, []);
});
