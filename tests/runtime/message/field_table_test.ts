import assert from "node:assert/strict";
import { eventMessage } from "../../../extensions/events/event_message.ts";
import { copyFieldTable } from "../../../extensions/memory/field_table.ts";
import { outgoingMessage } from "../../../extensions/messaging/outgoing_message.ts";
import { createMethod } from "../../../extensions/rpc/client.ts";
import { requireFields } from "../../../runtime/message/field_table.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";

const cycle: Record<string, unknown> = {};
cycle["self"] = cycle;

const REFUSED: readonly unknown[] = [
  NaN,
  Infinity,
  1n,
  new Date(-1),
  new Date(NaN),
  new Map([["a", 1]]),
  new Set(),
  new Uint16Array([1]),
  new Error("e"),
  Promise.resolve(),
  /x/,
  new (class Own {})(),
  () => 1,
  Symbol("s"),
  cycle,
  "\ud800",
  [undefined],
];

/** Each way out on which a program gives headers. */
const WAYS: Readonly<Record<string, (headers: FieldTable) => unknown>> = {
  "requireFields()": requireFields,
  "an event": (headers) => eventMessage("source", "type", 1, { headers }),
  "a message": (headers) => outgoingMessage(1, { headers }, {}),
};

for (const [way, send] of Object.entries(WAYS)) {
  Deno.test(`${way} refuses a header that would arrive as something else, and names it`, () => {
    for (const value of REFUSED) {
      for (const placed of [value, [value], { inner: value }]) {
        assert.throws(() => send({ fine: 1, score: placed } as FieldTable), {
          name: "TypeError",
          message: /^Cannot carry header "score": /,
        });
      }
    }
  });
}

Deno.test("a call refuses a header that would arrive as something else, and names it", async () => {
  const messenger = { request: () => assert.fail("sent"), publish: () => assert.fail("sent") };
  const origin = { stack: [], headers: {}, deadline: undefined };
  for (const value of REFUSED) {
    const headers = { score: value } as FieldTable;
    const call = createMethod(messenger, "s", "m", origin, { timeout: 1_000, headers });
    await assert.rejects(call(), { name: "TypeError", message: /^Cannot carry header "score": / });
  }
});

Deno.test("requireFields() takes what a field table carries, and absent headers", () => {
  requireFields({ a: null, b: true, c: -0, d: "é", e: [1, [2]], f: { g: Object.create(null) }, h: 2 ** 60 });
  requireFields({ absent: undefined } as unknown as FieldTable);
});

Deno.test("requireFields() refuses a name that is too long, at any depth", () => {
  const name = "é".repeat(128);
  requireFields({ ["k".repeat(255)]: 1 });
  assert.throws(() => requireFields({ [name]: 1 }), RangeError);
  assert.throws(() => requireFields({ a: { [name]: 1 } }), RangeError);
});

Deno.test("a header may be nested up to the limit, whoever takes it", () => {
  const nested = (levels: number) => {
    let value: FieldTable = {};
    for (let level = 1; level < levels; level++) value = { value };
    return { value };
  };
  for (const take of [requireFields, copyFieldTable]) {
    take(nested(64));
    for (const levels of [65, 9_000]) {
      assert.throws(() => take(nested(levels)), {
        name: "TypeError",
        message: /header "value": it is nested/,
      });
    }
  }
});
