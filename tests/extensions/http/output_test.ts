import assert from "node:assert/strict";
import { z } from "zod";
import { decodeResponseHead, encodeRequestHead } from "../../../extensions/http/request/head.ts";
import { http } from "../../../mod.ts";
import type { Call } from "../../../runtime/service/call.ts";
import type { Payload } from "../../../runtime/service/entrypoint.ts";
import type { Reply } from "../../../runtime/message/reply.ts";
import { SILENT_MESSENGER } from "../../fixtures/silent_messenger.ts";

/** Nothing of them matters here. */
const CALL = {} as Call;
const PAYLOAD = {
  message: encodeRequestHead({ method: "GET", url: "http://a/", headers: [], params: {}, id: "r-1" }),
} as Payload;

/** What becomes of a handler's result where `output` is declared. */
async function encode(output: z.ZodType, result: unknown): Promise<Reply> {
  const { prepare } = http("GET", "/", { output });
  const conversion = await prepare({
    service: "web",
    method: "show",
    parameters: undefined,
    messenger: SILENT_MESSENGER,
  });
  return await conversion.encode(result, CALL, PAYLOAD) as Reply;
}

const ID = z.object({ id: z.int() });

Deno.test("http({ output }) sends what the schema gives", async () => {
  const { body } = await encode(ID.transform(({ id }) => ({ id, doubled: id * 2 })), { id: 1, more: true });
  assert.deepEqual(JSON.parse(String(body)), { id: 1, doubled: 2 });
});

Deno.test("http({ output }) checks the body behind a status of success", async () => {
  const { head, body } = await encode(ID, [201, { location: "/1" }, { id: 1, more: true }]);
  assert.equal(decodeResponseHead(String(head)).status, 201);
  assert.equal(body, '{"id":1}');
  await assert.rejects(encode(ID, [201, { id: "1" }]), { name: "BadResultError" });
});

Deno.test("http({ output }) says which part of the result is wrong, and to whom it matters", async () => {
  await assert.rejects(encode(ID, { id: "1" }), {
    name: "BadResultError",
    message: /^Cannot answer a request: its result is not valid: id: /,
  });
});

Deno.test("http({ output }) refuses no result where the schema asks for one", async () => {
  await assert.rejects(encode(ID, undefined), { name: "BadResultError" });
  const { head } = await encode(ID.optional(), undefined);
  assert.equal(decodeResponseHead(String(head)).status, 204);
});

for (
  const [what, result] of [
    ["a Response", new Response("anything")],
    ["bytes", new Uint8Array([1])],
    ["a stream", new ReadableStream()],
    ["an async iterable with a type", [
      200,
      { "content-type": "text/event-stream" },
      (async function* () {})(),
    ]],
    ["an error", [404, { missing: true }]],
    ["a status without a body", [204, null]],
  ] as const
) {
  Deno.test(`http({ output }) lets ${what} pass`, async () => {
    assert.ok((await encode(ID, result)).head);
  });
}
