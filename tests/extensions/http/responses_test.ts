import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { connectTo, readUntil, send, serveHttp } from "./web_stage.ts";
import { traceIdOf } from "../../../runtime/telemetry/trace.ts";

/** Path, and the status, content type and body of its response. */
const RESULTS: readonly (readonly [string, number, string | null, string])[] = [
  ["/text", 200, "text/plain; charset=utf-8", "text"],
  ["/json", 200, "application/json", '{"a":[1,null],"at":"1970-01-01T00:00:00.000Z"}'],
  ["/bytes", 200, "application/octet-stream", "\x01\x02\ufffd"],
  ["/nothing", 204, null, ""],
  ["/blob", 201, "text/csv", "a,b"],
  ["/fields", 200, "application/x-www-form-urlencoded;charset=UTF-8", "a=1+2"],
  ["/list", 200, "application/json", "[1,2,3]"],
  ["/tuple", 404, "application/json", '{"missing":true}'],
  ["//text", 200, "text/plain; charset=utf-8", "text"],
  ["/nope", 404, "text/plain; charset=utf-8", "Not Found\n"],
  ["/healthz", 200, "text/plain; charset=utf-8", "ok\n"],
  ["/readyz", 200, "text/plain; charset=utf-8", "ready\n"],
  ["/expected", 400, "text/plain; charset=utf-8", "Error: TypeError: not so\n"],
  ["/expected?teapot", 418, "text/plain; charset=utf-8", "Error: Teapot: short and stout\n"],
  [
    "/late",
    504,
    "application/json",
    '{"error":"GatewayTimeout","message":"The service took too long to respond"}',
  ],
  [
    "/exit",
    503,
    "application/json",
    '{"error":"ServiceUnavailable","message":"The service lost the request"}',
  ],
];

const TRACEPARENT = "00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01";

Deno.test("http() answers with what its handlers return and throw", async (test) => {
  await using running = await serveHttp();
  for (const [path, status, type, body] of RESULTS) {
    await test.step(path, async () => {
      const response = await fetch(running.http + path);
      deepStrictEqual([response.status, response.headers.get("content-type"), await response.text()], [
        status,
        type,
        body,
      ]);
    });
  }

  await test.step("an unexpected error shows nothing but the request's id", async () => {
    const response = await fetch(`${running.http}/unexpected`, { headers: { "x-request-id": "r-1" } });
    strictEqual(response.status, 500);
    deepStrictEqual(await response.json(), {
      error: "InternalServerError",
      message: "The service failed to handle the request",
      request: "r-1",
    });
  });

  await test.step("an expected error is JSON for those who accept it", async () => {
    const response = await fetch(`${running.http}/expected`, { headers: { accept: "application/json" } });
    strictEqual(response.status, 400);
    deepStrictEqual(await response.json(), { error: "TypeError", message: "not so" });
  });

  await test.step("the handler gets the request and the rule's variables", async () => {
    const response = await fetch(`${running.http}/facts/a%2Fb/c/d?x=1`, {
      headers: { "x-request-id": "r-2", traceparent: TRACEPARENT, tracestate: "a=1,b=2" },
    });
    const { data: { traceparent, ...data }, ...facts } = await response.json();
    deepStrictEqual(facts, { params: { id: "a/b", rest: "c/d" }, url: "?x=1", id: "r-2" });
    deepStrictEqual(data, { tracestate: "a=1,b=2" });
    strictEqual(traceIdOf(traceparent), traceIdOf(TRACEPARENT));
    strictEqual(response.headers.get("x-request-id"), "r-2");
    strictEqual(response.headers.get("traceparent"), TRACEPARENT);
  });

  for (
    const [traceparent, isTaken] of [
      [TRACEPARENT, true],
      [TRACEPARENT.replace("00-", "01-") + "-more", true],
      [`${TRACEPARENT}-more`, false],
      [TRACEPARENT.replace("00-", "ff-"), false],
      [TRACEPARENT.toUpperCase(), false],
      [`00-${"0".repeat(32)}-00f067aa0ba902b7-01`, false],
      [`00-4bf92f3577b34da6a3ce929d0e0e4736-${"0".repeat(16)}-01`, false],
      ["garbage", false],
    ] as const
  ) {
    await test.step(`the traceparent ${traceparent} is ${isTaken ? "" : "not "}taken`, async () => {
      const response = await fetch(`${running.http}/facts/1/2`, {
        headers: { traceparent, tracestate: "a=1" },
      });
      const { data } = await response.json();
      strictEqual(traceIdOf(data.traceparent) === traceIdOf(traceparent), isTaken);
      strictEqual(data.tracestate, isTaken ? "a=1" : undefined);
      strictEqual(response.headers.get("traceparent"), isTaken ? traceparent : null);
    });
  }

  await test.step("a request without an id is given one", async () => {
    const response = await fetch(`${running.http}/facts/1/2`);
    const { id } = await response.json();
    match(id, /^[\da-f-]{36}$/);
    strictEqual(response.headers.get("x-request-id"), id);
  });

  await test.step("bytes go there and back unchanged", async () => {
    const bytes = crypto.getRandomValues(new Uint8Array(60_000));
    const response = await fetch(`${running.http}/echo`, { method: "PUT", body: bytes });
    strictEqual(response.status, 201);
    deepStrictEqual(await response.bytes(), bytes);
  });

  await test.step("text that says it is JSON and is not UTF-8 arrives unchanged", async () => {
    const bytes = new Uint8Array([0x22, 0xff, 0x22]);
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${running.http}/echo`, { method: "POST", body: bytes, headers });
    deepStrictEqual(await response.bytes(), bytes);
  });

  await test.step("a body without a stated length arrives", async () => {
    const body = ReadableStream.from(["one ", "two"]).pipeThrough(new TextEncoderStream());
    const response = await fetch(`${running.http}/echo`, { method: "POST", body });
    strictEqual(await response.text(), "one two");
  });

  await test.step("several cookies stay several", async () => {
    const response = await fetch(`${running.http}/cookies`);
    await response.body?.cancel();
    deepStrictEqual(response.headers.getSetCookie(), ["a=1", "b=2"]);
  });

  await test.step("a method that is not there is 405 with Allow", async () => {
    const response = await fetch(`${running.http}/echo`);
    await response.body?.cancel();
    deepStrictEqual([response.status, response.headers.get("allow")], [405, "OPTIONS, POST, PUT"]);
  });

  await test.step("OPTIONS is answered for every path", async () => {
    const response = await fetch(`${running.http}/text`, { method: "OPTIONS" });
    await response.body?.cancel();
    deepStrictEqual([response.status, response.headers.get("allow")], [204, "GET, HEAD, OPTIONS"]);
  });

  await test.step("a folder without its slash is 308", async () => {
    const response = await fetch(`${running.http}/folder?x=1`, { redirect: "manual" });
    await response.body?.cancel();
    deepStrictEqual([response.status, response.headers.get("location")], [308, "/folder/?x=1"]);
    const reverse = await fetch(`${running.http}/text/`);
    await reverse.body?.cancel();
    strictEqual(reverse.status, 404);
  });

  await test.step("a response is compressed for those who accept it", async () => {
    using connection = await connectTo(running.http);
    await send(connection, "GET /large HTTP/1.1\r\nhost: x\r\naccept-encoding: gzip\r\n\r\n");
    match(await readUntil(connection, "\r\n\r\n"), /\r\ncontent-encoding: gzip\r\n/);
  });

  await test.step("HEAD has the head of GET, and the connection stays open", async () => {
    using connection = await connectTo(running.http);
    await send(connection, "HEAD /text HTTP/1.1\r\nhost: x\r\n\r\n");
    const head = await readUntil(connection, "\r\n\r\n");
    match(head, /^HTTP\/1.1 200 OK\r\n(?:.*\r\n)*content-length: 4\r\n(?:.*\r\n)*\r\n$/);
    await send(connection, "GET /text HTTP/1.1\r\nhost: x\r\n\r\n");
    match(await readUntil(connection, "\r\n\r\ntext"), /\r\n\r\ntext$/);
  });

  await test.step("what does not pass its schema is 422 with the issues", async () => {
    const headers = { "content-type": "application/json" };
    const response = await fetch(`${running.http}/check/5?page=x`, {
      method: "POST",
      body: '{"name": 5}',
      headers,
    });
    strictEqual(response.status, 422);
    const { error, issues } = await response.json();
    strictEqual(error, "InvalidRequest");
    deepStrictEqual(
      issues.map((issue: { readonly in: string; readonly path: string }) => [issue.in, issue.path]),
      [
        ["query", "page"],
        ["body", "name"],
      ],
    );
  });

  await test.step("what passes its schema is what the handler gets", async () => {
    const headers = { "content-type": "application/x-www-form-urlencoded" };
    const response = await fetch(`${running.http}/check/5?page=2`, {
      method: "POST",
      body: "name=Ada",
      headers,
    });
    deepStrictEqual(await response.json(), {
      params: { id: 5 },
      input: { query: { page: 2 }, body: { name: "Ada" } },
    });
  });

  await test.step("a body that is no JSON is 400", async () => {
    const headers = { "content-type": "application/json", accept: "application/json" };
    const response = await fetch(`${running.http}/check/5`, { method: "POST", body: "{", headers });
    strictEqual(response.status, 400);
    strictEqual((await response.json()).error, "MALFORMED_REQUEST");
  });
});
