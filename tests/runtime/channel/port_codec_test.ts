import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { CallMessage, FromThread, ToThread } from "../../../runtime/channel/port.ts";
import { FROM_THREAD, TO_THREAD } from "../../../runtime/channel/port_codec.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import type { RingCodec } from "../../../runtime/channel/ring_port.ts";

const CALL: Omit<CallMessage, "body"> = {
  slot: 3,
  entrypoint: 1,
  contentType: "application/octet-stream",
  headers: { "nameko.call_id_stack": ["a", "b"] },
  span: 7,
};

/** What a message is after its way through a ring. */
function carried<Message>(codec: RingCodec<Message>, message: Message): Message {
  return codec.decode(codec.encode(message)!, codec.bytes(message)?.slice());
}

const BODIES = {
  "a text": "1 2 * -\nä",
  "no body": undefined,
  "bytes": new Uint8Array([0, 10, 32, 255]),
  "a buffer's bytes": new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
};

for (const [name, body] of Object.entries(BODIES)) {
  Deno.test(`a call with ${name} comes out of a ring as it went in`, () => {
    const message: ToThread = { type: "call", call: { ...CALL, body, message: "head\nof it" } };
    deepStrictEqual(carried(TO_THREAD, message), message);
  });

  Deno.test(`a result with ${name} comes out of a ring as it went in`, () => {
    const message: FromThread = { type: "done", slot: 63, elapsed: 0.25, body, head: { status: 200 } };
    deepStrictEqual(carried(FROM_THREAD, message), message);
  });

  Deno.test(`an answer with ${name} comes out of a ring as it went in`, () => {
    const message: ToThread = { type: "answer", id: 2 ** 40, body };
    deepStrictEqual(carried(TO_THREAD, message), message);
  });

  Deno.test(`what a handler sends with ${name} comes out of a ring as it went in`, () => {
    const sent = {
      body: body as string,
      headers: { "nameko.call_id_stack": ["a\ud800"], depth: 1.5, none: null },
    };
    const published: FromThread = {
      type: "publish",
      id: 1,
      message: {
        exchange: "e",
        routingKey: "ä\n",
        mandatory: true,
        body: sent.body,
        properties: { headers: sent.headers, deliveryMode: 2 },
      },
    };
    deepStrictEqual(carried(FROM_THREAD, published), published);
    const request: FromThread = {
      type: "request",
      id: 2,
      timeout: Infinity,
      request: { service: "s", method: "m", ...sent, properties: { priority: 3 } },
    };
    deepStrictEqual(carried(FROM_THREAD, request), request);
  });
}

Deno.test("what JSON cannot carry does not go through a ring", () => {
  for (const header of [1n, NaN, -0, new Uint8Array(1), new Date(0)]) {
    const message = { exchange: "", routingKey: "", body: "", properties: { headers: { header } } };
    strictEqual(FROM_THREAD.encode({ type: "publish", id: 1, message: message as Message }), undefined);
  }
  const body = { body: new Uint8Array(1), contentType: "application/x-msgpack", compression: undefined };
  strictEqual(TO_THREAD.encode({ type: "answer", id: 1, body }), undefined);
});

Deno.test("a text that no thread writes is refused", () => {
  for (const text of ["3 1 -\n", "1 1 0 1\n5", "1 1 0 4\nnull"]) {
    throws(() => FROM_THREAD.decode(text), TypeError);
  }
});

Deno.test("a body of no bytes stays bytes", () => {
  const message: FromThread = { type: "done", slot: 0, elapsed: 1, body: new Uint8Array(0) };
  deepStrictEqual(FROM_THREAD.decode(FROM_THREAD.encode(message)!, undefined), message);
});
