import { deepStrictEqual, match, throws } from "node:assert/strict";
import { event, type EventOptions } from "../../../extensions/events/event.ts";

Deno.test("event() has its options in the manifest", () => {
  deepStrictEqual(event("orders", "placed").options, {
    source: "orders",
    type: "placed",
    delivery: "pool",
    reliable: true,
  });
  const spec = event("orders", "order.*", {
    delivery: "broadcast",
    broadcastId: { config: "INSTANCE" },
    reliable: true,
    requeueOnError: true,
    retry: { max: 3, backoff: 100 },
    expected: ["SoldOut"],
    redact: ["order.card"],
    timeout: 1_000,
    prefetch: 5,
    serializers: [],
  });
  deepStrictEqual(spec.options, {
    source: "orders",
    type: "order.*",
    delivery: "broadcast",
    reliable: true,
    broadcastId: { config: "INSTANCE" },
    requeueOnError: true,
    retry: { max: 3, initial: 100, factor: 1, limit: 100 },
    timeout: 1_000,
    prefetch: 5,
  });
  deepStrictEqual([spec.kind, spec.expected, spec.redact], ["event", ["SoldOut"], ["order.card"]]);
});

Deno.test("event() is not reliable by default where it is broadcast", () => {
  deepStrictEqual(event("orders", "placed", { delivery: "broadcast" }).options, {
    source: "orders",
    type: "placed",
    delivery: "broadcast",
    reliable: false,
    broadcastId: "uuid",
  });
});

Deno.test("event() refuses to broadcast reliably to an instance that is new each time, and says why", () => {
  for (const broadcastId of [undefined, "uuid"]) {
    const options = { delivery: "broadcast", reliable: true, ...(broadcastId && { broadcastId }) } as const;
    throws(() => event("orders", "placed", options), (error: Error) => {
      match(error.message, /^Cannot handle event "placed" of "orders": the default broadcastId is new/);
      return error instanceof TypeError;
    });
  }
});

for (
  const [text, options, kind] of [
    ["a delivery that does not exist", { delivery: "fanout" as "pool" }, TypeError],
    ["a broadcastId without broadcast", { broadcastId: "me" }, TypeError],
    ["a timeout of nothing", { timeout: 0 }, RangeError],
    ["a prefetch of nothing", { prefetch: 0 }, RangeError],
    ["half a prefetch", { prefetch: 1.5 }, RangeError],
    ["a negative number of retries", { retry: { max: -1 } }, RangeError],
  ] as const satisfies readonly (readonly [string, EventOptions, unknown])[]
) {
  Deno.test(`event() refuses ${text}`, () => throws(() => event("orders", "placed", options), kind));
}

Deno.test("event() refuses a source or a type that is empty", () => {
  throws(() => event("", "placed"), TypeError);
  throws(() => event("orders", ""), TypeError);
});
