import { deepStrictEqual } from "node:assert/strict";
import { createLog } from "../../../runtime/log/log.ts";
import { HeapWatch } from "../../../runtime/thread/heap_watch.ts";

/** Returns at which times a thread tells that it is near its limit of 100 MiB. */
function toldAt(looks: readonly (readonly [time: number, used: number])[]): readonly number[] {
  const told: number[] = [];
  let used = 0;
  let time = 0;
  const watch = new HeapWatch(
    createLog({ emit: () => told.push(time) }),
    () => ({ used: used * 1_048_576, limit: 100 * 1_048_576 }),
  );
  for ([time, used] of looks) watch.look(time);
  return told;
}

Deno.test("HeapWatch tells once that a thread comes near its limit, and again when it has been far from it", () =>
  deepStrictEqual(
    toldAt([[0, 50], [1_000, 86], [2_000, 90], [3_000, 75], [4_000, 90], [5_000, 60], [6_000, 90]]),
    [1_000, 6_000],
  ));

Deno.test("HeapWatch looks once in a second", () =>
  deepStrictEqual(toldAt([[0, 10], [999, 99], [1_000, 10], [1_999, 99]]), []));

Deno.test("HeapWatch tells once that a thread is above its soft limit, however long it stays there", () => {
  const passed: number[] = [];
  let used = 0;
  const watch = new HeapWatch(
    createLog({ emit: () => {} }),
    () => ({ used, limit: 100 * 1_048_576 }),
    { mebibytes: 1, onPassed: (bytes) => passed.push(bytes) },
  );
  for (const [second, bytes] of [1_048_575, 1_048_576, 1_048_577].entries()) {
    used = bytes;
    watch.look(second * 1_000);
  }
  deepStrictEqual(passed, [1_048_576]);
});

Deno.test("HeapWatch names what is used, what may be used, and the way out", () => {
  const messages: string[] = [];
  const watch = new HeapWatch(
    createLog({ emit: ({ message }) => messages.push(message) }),
    () => ({ used: 90 * 1_048_576, limit: 100 * 1_048_576 }),
  );
  watch.look(0);
  deepStrictEqual(messages, [
    "This thread uses 90 MiB of the 100 MiB of memory that it may have for JavaScript, and is ended beyond that. " +
    "Keep less between calls, or raise heap_limit",
  ]);
});
