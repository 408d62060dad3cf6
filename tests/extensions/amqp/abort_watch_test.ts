import assert from "node:assert/strict";
import { AbortWatch } from "../../../extensions/amqp/abort_watch.ts";

/** A signal that counts its listeners. */
function countingSignal() {
  const controller = new AbortController();
  const { signal } = controller;
  const counted = { listeners: 0, signal, abort: (reason: unknown) => controller.abort(reason) };
  const { addEventListener, removeEventListener } = signal;
  signal.addEventListener = (...args: Parameters<AbortSignal["addEventListener"]>) => {
    counted.listeners++;
    addEventListener.apply(signal, args);
  };
  signal.removeEventListener = (...args: Parameters<AbortSignal["removeEventListener"]>) => {
    counted.listeners--;
    removeEventListener.apply(signal, args);
  };
  return counted;
}

Deno.test("AbortWatch has one listener while items wait for a signal, and none otherwise", () => {
  const counted = countingSignal();
  const watch = new AbortWatch<number>(() => {});
  for (let round = 0; round < 2; round++) {
    const ends = Array.from({ length: 100 }, (_, item) => watch.add(item, counted.signal));
    assert.equal(counted.listeners, 1);
    for (const end of ends) end();
    assert.equal(counted.listeners, 0);
  }
});

Deno.test("AbortWatch tells of the items that wait when their signal aborts, in their order, and of no others", () => {
  const [one, other] = [new AbortController(), new AbortController()];
  const told: unknown[] = [];
  const ends = new Map<string, () => void>();
  const watch = new AbortWatch<string>((item, reason) => {
    told.push([item, reason]);
    ends.get(item)!();
  });
  for (const item of ["a", "ended", "b"]) ends.set(item, watch.add(item, one.signal));
  ends.set("c", watch.add("c", other.signal));
  ends.get("ended")!();
  one.abort("stop");
  assert.deepEqual(told, [["a", "stop"], ["b", "stop"]]);
  other.abort("later");
  assert.deepEqual(told.slice(2), [["c", "later"]]);
});
