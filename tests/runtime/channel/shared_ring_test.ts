import assert from "node:assert/strict";
import { RingRecord } from "../../../runtime/channel/ring_record.ts";
import { createRing, RingReader, RingWriter } from "../../../runtime/channel/shared_ring.ts";

/** A thread that writes two texts to the same memory, over and over. */
const CHANGING = `data:text/javascript,${
  encodeURIComponent(`
    self.onmessage = ({ data: { memory, start, texts } }) => {
      const bytes = new Uint8Array(memory, start, texts[0].length);
      self.postMessage("begun");
      while (true) for (const text of texts) bytes.set(text);
    };
  `)
}`;

/** Milliseconds. A reader that reads the shared memory itself ends the process in a small part of this time. */
const DURATION = 1_000;

Deno.test("RingReader reads a text that its writer changes meanwhile, and harms nothing", async () => {
  const memory = createRing(131_072);
  const record = new RingRecord({ numbers: 0, fields: 1 });
  const wide = "€".repeat(10_000);
  record.add(wide);
  assert.ok(new RingWriter(memory).write(0, record));
  const encoded = new TextEncoder().encode(wide);
  const start = new Uint8Array(memory).findIndex((_, at, all) =>
    at > 64 && all[at] === 0xe2 && all[at + 1] === 0x82
  );
  // The first character is the same, so that V8 takes both for texts that are not ASCII.
  const plain = encoded.map((byte, at) => at < 3 ? byte : 0x61);
  const worker = new Worker(CHANGING, { type: "module" });
  const begun = new Promise((resolve) => worker.onmessage = resolve);
  worker.postMessage({ memory, start, texts: [encoded, plain] });
  await begun;
  const lengths = new Set<number>();
  for (const end = performance.now() + DURATION; performance.now() < end;) {
    const reader = new RingReader(memory);
    assert.equal(reader.nextNumber, 0);
    reader.take(record);
    lengths.add(record.text.length);
  }
  worker.terminate();
  assert.ok(Math.min(...lengths) >= wide.length && Math.max(...lengths) <= encoded.length - 2);
});
