import assert from "node:assert/strict";
import { setImmediate as nextTurn } from "node:timers/promises";
import { configureLogging, resetLogging } from "../../../runtime/log/observe.ts";
import { RecordBatch } from "../../../runtime/log/record_batch.ts";

function recorded(): { readonly lines: string[]; readonly batch: RecordBatch<number> } & Disposable {
  const lines: string[] = [];
  configureLogging({ format: "json", write: (line) => void lines.push(JSON.parse(line).message) });
  const batch = new RecordBatch((event: number) => ({ level: "info", message: `event ${event}` }));
  return { lines, batch, [Symbol.dispose]: resetLogging };
}

Deno.test("RecordBatch lets a whole turn of the event loop pass before the records of events, and keeps their order", async () => {
  using log = recorded();
  log.batch.add(1);
  await nextTurn();
  log.batch.add(2);
  assert.deepEqual(log.lines, []);
  await nextTurn();
  assert.deepEqual(log.lines, ["event 1", "event 2"]);
  log.batch.add(3);
  for (let turn = 0; turn < 2; turn++) await nextTurn();
  assert.deepEqual(log.lines, ["event 1", "event 2", "event 3"]);
});

Deno.test("RecordBatch.flush() emits at once what waits, and nothing twice", async () => {
  using log = recorded();
  log.batch.add(1);
  log.batch.flush();
  log.batch.flush();
  assert.deepEqual(log.lines, ["event 1"]);
  for (let turn = 0; turn < 2; turn++) await nextTurn();
  assert.deepEqual(log.lines, ["event 1"]);
});
