import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { decodeResponseHead, headerPairs } from "../../../extensions/http/request/head.ts";
import { encodeResult } from "../../../extensions/http/response/result.ts";

async function headersOf(result: unknown): Promise<Headers> {
  const { head, chunks } = await encodeResult(result);
  if (chunks !== undefined) { for await (const _chunk of chunks) { /* The body is read to its end. */ } }
  return new Headers(headerPairs(decodeResponseHead(head as string).headers));
}

async function gzipped(text: string): Promise<Uint8Array<ArrayBuffer>> {
  const stream = new Blob([text]).stream().pipeThrough(new CompressionStream("gzip"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

Deno.test("A response of fetch() goes on without what was true of its own connection only", async () => {
  const body = await gzipped("z".repeat(5_000));
  const headers = {
    "content-encoding": "gzip",
    "content-length": String(body.length),
    "content-type": "text/css",
    "keep-alive": "timeout=5",
    "proxy-authenticate": "Basic",
    "x-own": "1",
  };
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response(body, { headers }),
  );
  const forwarded = await headersOf(await fetch(`http://127.0.0.1:${server.addr.port}/`));
  for (const name of ["content-encoding", "content-length", "keep-alive", "proxy-authenticate"]) {
    strictEqual(forwarded.get(name), null, name);
  }
  strictEqual(forwarded.get("content-type"), "text/css");
  strictEqual(forwarded.get("x-own"), "1");
});

Deno.test("A response of fetch() keeps its length if nothing was decoded", async () => {
  await using server = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen() {} },
    () => new Response("four", { headers: { "content-length": "4" } }),
  );
  const forwarded = await headersOf(await fetch(`http://127.0.0.1:${server.addr.port}/`));
  strictEqual(forwarded.get("content-length"), "4");
});

Deno.test("A Response that the handler made keeps its encoding", async () => {
  const response = new Response(await gzipped("z"), { headers: { "content-encoding": "gzip" } });
  strictEqual((await headersOf(response)).get("content-encoding"), "gzip");
});

Deno.test("A list of values in an object of headers becomes several headers", async () => {
  const headers = await headersOf([200, { "set-cookie": ["a=1", "b=2"], "x-one": "1" }, "text"]);
  deepStrictEqual(headers.getSetCookie(), ["a=1", "b=2"]);
  strictEqual(headers.get("x-one"), "1");
});
