import assert from "node:assert/strict";
import { Backlog, type QueuedMessage } from "../../../extensions/memory/backlog.ts";
import { seal } from "../../../extensions/memory/sealed_message.ts";

const message = seal({ exchange: "", routingKey: "", body: "", properties: {} });

function entry(position: number): QueuedMessage {
  return { message, position, expiresAt: Infinity, returns: 0 };
}

Deno.test("Backlog.shift() takes the oldest through any number of growths", () => {
  const backlog = new Backlog();
  let taken = 0;
  for (let position = 1; position <= 1000; position++) {
    backlog.push(entry(position));
    if (position % 3 === 0) assert.equal(backlog.shift()?.position, ++taken);
  }
  while (backlog.size > 0) assert.equal(backlog.shift()?.position, ++taken);
  assert.equal(taken, 1000);
  assert.equal(backlog.head, undefined);
});

Deno.test("Backlog.restore() puts every message back to its place, in whatever order they return", () => {
  for (let stride = 1; stride <= 36; stride++) {
    const backlog = new Backlog();
    for (let position = 1; position <= 50; position++) backlog.push(entry(position));
    const out: QueuedMessage[] = [];
    for (let taken = 0; taken < 37; taken++) out.push(backlog.shift() as QueuedMessage);
    // 37 is prime, so any stride visits each once
    for (let step = 0; step < 37; step++) backlog.restore(out[(step * stride) % 37] as QueuedMessage);
    const order = Array.from({ length: 50 }, () => backlog.shift()?.position);
    assert.deepEqual(order, Array.from({ length: 50 }, (_, index) => index + 1));
  }
});
