import { rejects, strictEqual } from "node:assert/strict";
import { Bulkhead } from "../../../../extensions/rpc/resilience/bulkhead.ts";

Deno.test("a place goes to the first that waits, and not to one that has given up", async () => {
  const bulkhead = new Bulkhead({ concurrent: 1, waiting: 2 });
  const { signal } = new AbortController();
  const impatient = new AbortController();
  strictEqual(await bulkhead.enter(signal), true);
  const givenUp = bulkhead.enter(impatient.signal);
  const next = bulkhead.enter(signal);
  strictEqual(await bulkhead.enter(signal), false);
  impatient.abort(new Error("no more time"));
  await rejects(givenUp, /no more time/);
  bulkhead.leave();
  strictEqual(await next, true);
  bulkhead.leave();
  strictEqual(await bulkhead.enter(signal), true);
});

Deno.test("a place that is given in the moment of giving up is not lost, and nobody else loses a turn", async () => {
  const bulkhead = new Bulkhead({ concurrent: 1, waiting: 2 });
  const impatient = new AbortController();
  await bulkhead.enter(impatient.signal);
  const next = bulkhead.enter(impatient.signal);
  const last = bulkhead.enter(new AbortController().signal);
  bulkhead.leave();
  impatient.abort();
  strictEqual(await next, true);
  bulkhead.leave();
  strictEqual(await last, true);
});
