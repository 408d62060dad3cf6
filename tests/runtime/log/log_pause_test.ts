import assert from "node:assert/strict";
import { LogPause } from "../../../runtime/log/log_pause.ts";

Deno.test("LogPause lets one line through in a minute", () => {
  const pause = new LogPause();
  const times = [0, 1, 59_999, 60_000, 60_001, 119_999, 120_000];
  assert.deepEqual(times.filter((now) => pause.tryBegin(now)), [0, 60_000, 120_000]);
});

Deno.test("LogPause lets no line through before the time that it was made with", () => {
  const pause = new LogPause(10);
  assert.deepEqual([9, 10, 11].filter((now) => pause.tryBegin(now)), [10]);
});

Deno.test("LogPause says how long it lasts, and asking does not begin it", () => {
  const pause = new LogPause(10);
  assert.equal(pause.left(4), 6);
  assert.ok(pause.left(10) <= 0);
  pause.begin(10);
  assert.equal(pause.left(11), 59_999);
});
