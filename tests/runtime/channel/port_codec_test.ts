import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import type { CallMessage, FromThread, ToThread } from "../../../runtime/channel/port.ts";
import { FROM_THREAD, TO_THREAD } from "../../../runtime/channel/port_codec.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import type { RingCodec } from "../../../runtime/channel/ring_port.ts";
import { RingRecord } from "../../../runtime/channel/ring_record.ts";
import { createRing, RingReader, RingWriter } from "../../../runtime/channel/shared_ring.ts";

const CALL: Omit<CallMessage, "body"> = {
  entrypoint: 1,
  contentType: "application/octet-stream",
  headers: { "nameko.call_id_stack": ["a", "b"] },
  span: 7,
};

/** What a message is after its way through a ring. */
function carried<Message>(codec: RingCodec<Message>, message: Message): Message {
  const ring = createRing(4_096);
  const [written, read] = [new RingRecord(codec.shape), new RingRecord(codec.shape)];
  written.clear();
  strictEqual(codec.encode(message, written), true);
  strictEqual(new RingWriter(ring).write(0, written), true);
  const reader = new RingReader(ring);
  strictEqual(reader.nextNumber, 0);
  reader.take(read);
  const decoded = codec.decode(read);
  read.requireEnd();
  return decoded;
}

const BODIES = {
  "a text": "1 2 * -\nä",
  "no body": undefined,
  "bytes": new Uint8Array([0, 10, 32, 255]),
  "a buffer's bytes": new Uint8Array([1, 2, 3, 4]).subarray(1, 3),
};

for (const [name, body] of Object.entries(BODIES)) {
  Deno.test(`a call with ${name} comes out of a ring as it went in`, () => {
    const message: ToThread = { type: "call", slot: 3, call: { ...CALL, body, message: "head\nof it" } };
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
    strictEqual(encodes(FROM_THREAD, { type: "publish", id: 1, message: message as Message }), false);
  }
  const body = { body: new Uint8Array(1), contentType: "application/x-msgpack", compression: undefined };
  strictEqual(encodes(TO_THREAD, { type: "answer", id: 1, body }), false);
});

function encodes<Message>(codec: RingCodec<Message>, message: Message): boolean {
  const record = new RingRecord(codec.shape);
  record.clear();
  return codec.encode(message, record);
}

Deno.test("a record that no thread writes is refused", () => {
  const done: FromThread = { type: "done", slot: 1, elapsed: 1, body: "5" };
  const changes: ((record: RingRecord) => void)[] = [
    ({ numbers }) => numbers[0] = 3,
    ({ numbers }) => numbers[0] = NaN,
    // The message of a handler without its fields, and with fields that are none.
    ({ numbers }) => numbers[0] = 1,
    (record) => {
      record.numbers[0] = 1;
      record.lengths[1] = 4;
      record.text = "5null";
    },
    (record) => record.text = "56",
  ];
  for (const change of changes) {
    const record = new RingRecord(FROM_THREAD.shape);
    record.clear();
    FROM_THREAD.encode(done, record);
    change(record);
    record.rewind();
    throws(() => {
      FROM_THREAD.decode(record);
      record.requireEnd();
    });
  }
});

Deno.test("a call comes out of a ring with its name of a span and its times", () => {
  const times = { timeout: 1_500.5, deadline: 1_764_400_000_000, span: "00-ab-cd-01" };
  const message: ToThread = { type: "call", slot: 3, call: { ...CALL, ...times, body: "{}" } };
  deepStrictEqual(carried(TO_THREAD, message), message);
});

Deno.test("a result comes out of a ring with its fault", () => {
  const fault = { name: "NotFound", expected: true };
  const message: FromThread = { type: "done", slot: 1, elapsed: 1, body: "{}", head: "404", fault };
  deepStrictEqual(carried(FROM_THREAD, message), message);
});

Deno.test("a body of no bytes stays bytes", () => {
  const message: FromThread = { type: "done", slot: 0, elapsed: 1, body: new Uint8Array(0) };
  deepStrictEqual(carried(FROM_THREAD, message), message);
});
