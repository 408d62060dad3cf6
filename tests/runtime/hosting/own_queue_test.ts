import assert from "node:assert/strict";
import { ownQueueName } from "../../../runtime/hosting/own_queue.ts";

const PREFIX = "enoki.dead.";

function bytes(text: string): number {
  return new TextEncoder().encode(text).length;
}

Deno.test("ownQueueName() is the prefix and the name as long as that fits", () => {
  const queue = "q".repeat(244);
  assert.equal(ownQueueName(PREFIX, queue), `${PREFIX}${queue}`);
});

Deno.test("ownQueueName() is never too long, and the same each time", () => {
  for (const queue of ["q".repeat(245), "q".repeat(255), "ü".repeat(127), `x${"🎈".repeat(63)}`]) {
    const name = ownQueueName(PREFIX, queue);
    assert.ok(bytes(name) <= 255, name);
    assert.ok(name.startsWith(PREFIX));
    assert.doesNotMatch(name, /\uFFFD/);
    assert.equal(ownQueueName(PREFIX, queue), name);
  }
});

Deno.test("ownQueueName() tells queues apart whose names differ at their end", () => {
  const queue = "q".repeat(250);
  assert.notEqual(ownQueueName(PREFIX, `${queue}1`), ownQueueName(PREFIX, `${queue}2`));
});
