import { deepStrictEqual } from "node:assert/strict";
import type { CallMessage, FromThread, ToThread } from "../../../runtime/channel/port.ts";
import { FROM_THREAD, TO_THREAD } from "../../../runtime/channel/port_codec.ts";
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
}

Deno.test("a body of no bytes stays bytes", () => {
  const message: FromThread = { type: "done", slot: 0, elapsed: 1, body: new Uint8Array(0) };
  deepStrictEqual(FROM_THREAD.decode(FROM_THREAD.encode(message)!, undefined), message);
});
