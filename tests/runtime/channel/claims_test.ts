import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { Claims, SLOTS } from "../../../runtime/channel/claims.ts";

Deno.test("Claims gives an offered call to the side that takes it first", () => {
  const main = new Claims();
  const thread = new Claims(main.buffer);
  main.offer(0);
  main.offer(1);
  deepStrictEqual([thread.start(0), main.takeBack(0)], [true, false]);
  deepStrictEqual([main.takeBack(1), thread.start(1)], [true, false]);
});

Deno.test("Claims gives nothing that was not offered", () => {
  const claims = new Claims();
  strictEqual(claims.start(3), false);
  strictEqual(claims.takeBack(3), false);
});

Deno.test("Claims gives a call once only", () => {
  const claims = new Claims();
  claims.offer(0);
  deepStrictEqual([claims.start(0), claims.start(0)], [true, false]);
  claims.offer(0);
  deepStrictEqual([claims.takeBack(0), claims.takeBack(0)], [true, false]);
});

Deno.test("Claims keeps its slots apart", () => {
  const claims = new Claims();
  for (let slot = 0; slot < SLOTS; slot += 2) claims.offer(slot);
  const started = Array.from({ length: SLOTS }, (_, slot) => claims.start(slot));
  deepStrictEqual(started, Array.from({ length: SLOTS }, (_, slot) => slot % 2 === 0));
});

Deno.test("Claims gives each call to exactly one of two racing threads", async () => {
  const rounds = 2_000;
  const claims = new Claims();
  const gate = new Int32Array(new SharedArrayBuffer(8));
  const racer = `
    import { Claims } from "${new URL("../../../runtime/channel/claims.ts", import.meta.url)}";
    self.onmessage = ({ data: { buffer, gateBuffer, rounds } }) => {
      const claims = new Claims(buffer);
      const gate = new Int32Array(gateBuffer);
      let won = 0;
      for (let round = 1; round <= rounds; round++) {
        while (Atomics.load(gate, 0) < round);
        if (claims.start(0)) won++;
        Atomics.store(gate, 1, round);
      }
      self.postMessage(won);
    };
  `;
  const url = URL.createObjectURL(new Blob([racer], { type: "text/typescript" }));
  const worker = new Worker(url, { type: "module" });
  try {
    const { promise, resolve } = Promise.withResolvers<number>();
    worker.onmessage = ({ data }) => resolve(data);
    worker.postMessage({ buffer: claims.buffer, gateBuffer: gate.buffer, rounds });
    let won = 0;
    for (let round = 1; round <= rounds; round++) {
      claims.offer(0);
      Atomics.store(gate, 0, round);
      if (claims.takeBack(0)) won++;
      while (Atomics.load(gate, 1) < round);
    }
    strictEqual(won + await promise, rounds);
  } finally {
    worker.terminate();
    URL.revokeObjectURL(url);
  }
});
