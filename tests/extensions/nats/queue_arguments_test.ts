import assert from "node:assert/strict";
import { readQueueArguments } from "../../../examples/extensions/nats/queue_arguments.ts";

Deno.test("a queue over NATS that has a type is refused in the words of its author", () => {
  assert.throws(
    () => readQueueArguments({ name: "jobs", arguments: { "x-queue-type": "quorum" } }),
    { message: 'Cannot declare queue "jobs": queues over NATS have no type "quorum". Leave its type out' },
  );
});

Deno.test("a queue over NATS may be called a classic one, as it is without a type", () => {
  assert.deepEqual(readQueueArguments({ name: "jobs", arguments: { "x-queue-type": "classic" } }), {});
});
