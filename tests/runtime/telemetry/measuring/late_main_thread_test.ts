import { deepStrictEqual, match } from "node:assert/strict";
import { createLog } from "../../../../runtime/log/log.ts";
import { LateMainThread } from "../../../../runtime/telemetry/measuring/late_main_thread.ts";

/** Returns at which times a main thread that is late so is told of, if it has started at time 0. */
function toldAt(measurements: readonly (readonly [time: number, late: number])[]): readonly number[] {
  const told: number[] = [];
  let time = 0;
  const lateness = new LateMainThread(createLog({ emit: () => told.push(time) }), 0);
  for (const [now, late] of measurements) lateness.record(late, time = now);
  return told;
}

Deno.test("LateMainThread tells of a delay above 200 ms, and of further ones a minute later", () =>
  deepStrictEqual(toldAt([[20_000, 200], [21_000, 201], [22_000, 900], [80_000, 900], [81_001, 300]]), [
    21_000,
    81_001,
  ]));

Deno.test("LateMainThread is silent while the process starts", () =>
  deepStrictEqual(toldAt([[9_000, 900]]), []));

Deno.test("LateMainThread says how late the main thread was", () => {
  const messages: string[] = [];
  new LateMainThread(createLog({ emit: ({ message }) => messages.push(message) }), 0).record(341.7, 60_000);
  match(
    messages[0]!,
    /^The main thread was late by 342 ms, and with it the calls of all services\. Usual causes/,
  );
});
