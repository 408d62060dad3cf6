/** The ids of requests where no line of the log needs them. */
import { match, strictEqual } from "node:assert/strict";
import { httpConversion } from "../../../extensions/http/conversion.ts";
import {
  decodeResponseHead,
  encodeRequestHead,
  headerOf,
  headOf,
  type ResponseHead,
} from "../../../extensions/http/request/head.ts";
import type { Reply } from "../../../runtime/message/reply.ts";
import type { Call } from "../../../runtime/service/call.ts";
import type { Payload } from "../../../runtime/service/entrypoint.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { serveHttp } from "./web_stage.ts";

const MADE = /^[\da-f]{8}-[\da-f-]{27}$/;

Deno.test("the id of a request is made when somebody asks for it", async (test) => {
  const lines: { readonly request?: string }[] = [];
  configureLogging({ level: "warning", format: "json", write: (line) => void lines.push(JSON.parse(line)) });
  await using running = await serveHttp();
  const ask = (path: string, headers: HeadersInit = {}) => fetch(running.http + path, { headers });
  const idOf = ({ headers }: Response) => headers.get("x-request-id");

  await test.step("so a response has none if nobody does", async () => {
    const response = await ask("/text");
    strictEqual(await response.text(), "text");
    strictEqual(idOf(response), null);
  });

  await test.step("so a response has the one that the client sent", async () => {
    const response = await ask("/text", { "x-request-id": "r-1" });
    strictEqual(await response.text(), "text");
    strictEqual(idOf(response), "r-1");
  });

  for (const [what, headers] of [["no id", {}], ["an empty id", { "x-request-id": "" }]] as const) {
    await test.step(`so a handler that reads the headers of a request with ${what} makes one`, async () => {
      const response = await ask("/facts/1/2", headers);
      const { id } = await response.json();
      match(id, MADE);
      strictEqual(idOf(response), id);
    });
  }

  await test.step("so an error of the service makes one, which the log names", async () => {
    const response = await ask("/unexpected");
    const { request } = await response.json();
    match(request, MADE);
    strictEqual(idOf(response), request);
    strictEqual(lines.find(({ request }) => request !== undefined)?.request, request);
  });

  for (const path of ["/feed", "/lines"]) {
    await test.step(`so the stream of ${path} has one: its handler may ask after the head has gone`, async () => {
      const response = await ask(path);
      match(idOf(response)!, MADE);
      await response.body?.cancel();
    });
  }

  await test.step("so a request without any header can have one", async () => {
    const { hostname, port } = new URL(running.http);
    using connection = await Deno.connect({ hostname, port: Number(port) });
    await connection.write(new TextEncoder().encode("GET /facts/1/2 HTTP/1.0\r\n\r\n"));
    const answer = await new Response(connection.readable).text();
    const [, named] = /^x-request-id: (\S+)\r$/m.exec(answer) ?? [];
    match(answer, /^HTTP\/1\.0 200 OK\r\n/);
    strictEqual(JSON.parse(answer.split("\r\n\r\n")[1]!).id, named);
  });
});

const { encode } = httpConversion(undefined, undefined, undefined);

/** Encodes what the handler of a request without an id returns, after it has asked for the id. */
async function encodeNamed(result: unknown): Promise<{ readonly id: string; readonly head: ResponseHead }> {
  const message = encodeRequestHead({
    method: "GET",
    url: "http://a/",
    headers: [],
    params: {},
    id: undefined,
  });
  const payload: Payload = { body: "", contentType: undefined, headers: undefined, message };
  const { id } = headOf(payload);
  const reply = await encode!(result, {} as Call, payload) as Reply;
  return { id, head: decodeResponseHead(reply.head) };
}

Deno.test("a response has the made id, whatever the values of its headers are, and keeps one of its own", async () => {
  const exposing = { "access-control-expose-headers": "x-request-id" };
  const { id, head } = await encodeNamed([200, exposing, "text"]);
  strictEqual(headerOf(head.headers, "x-request-id"), id);
  const named = await encodeNamed([200, { "x-request-id": "r-1" }, "text"]);
  strictEqual(named.head.headers.filter((part) => part === "x-request-id").length, 1);
  strictEqual(headerOf(named.head.headers, "x-request-id"), "r-1");
});

Deno.test("a response whose head is full has no made id, and is not lost for it", async (test) => {
  for (const [own, all] of [[254, 256], [255, 256]] as const) {
    await test.step(`${own} headers of its own, and its type`, async () => {
      const headers = Object.fromEntries(Array.from({ length: own }, (_, index) => [`x-${index}`, "1"]));
      const { id, head } = await encodeNamed([200, headers, "text"]);
      strictEqual(head.status, 200);
      strictEqual(head.headers.length / 2, all);
      strictEqual(headerOf(head.headers, "x-request-id"), own === 254 ? id : undefined);
    });
  }
});
