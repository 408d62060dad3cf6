import assert from "node:assert/strict";
import { CpuWindow } from "../../../runtime/spawning/process/cpu_window.ts";

/** Looks each 250 ms at a process whose use of cores changes each second; gives the second at which it exceeds, if it does. */
function exceededAt(limit: number, cores: readonly number[]): number | undefined {
  const window = new CpuWindow(limit, 0);
  let used = 0;
  for (let at = 250; at <= cores.length * 1_000; at += 250) {
    used += 250 * cores[Math.ceil(at / 1_000) - 1]!;
    if (window.isExceeded(at, used)) return at / 1_000;
  }
  return undefined;
}

function times<Value>(count: number, value: Value): readonly Value[] {
  return new Array<Value>(count).fill(value);
}

Deno.test("CpuWindow lets a process use its cores for ever", () => {
  assert.equal(exceededAt(0.5, times(100, 0.5)), undefined);
  assert.equal(exceededAt(2, times(100, 2)), undefined);
});

Deno.test("CpuWindow lets a process use more for a while, if it rests for the others of ten seconds", () => {
  assert.equal(exceededAt(0.5, [...times(5, 1), ...times(5, 0), ...times(5, 1)]), undefined);
});

Deno.test("CpuWindow ends a process as soon as it has used in ten seconds what it may", () => {
  assert.equal(exceededAt(0.5, times(100, 1)), 5.25);
  assert.equal(exceededAt(0.5, [...times(60, 0), ...times(60, 1)]), 65.25);
});

Deno.test("CpuWindow averages over the whole time since a look that came late", () => {
  const window = new CpuWindow(0.5, 0);
  assert.equal(window.isExceeded(60_000, 30_000), false);
  assert.equal(window.isExceeded(120_000, 60_250), true);
});

Deno.test("CpuWindow does not count time that is missed for one look and then there again", () => {
  const window = new CpuWindow(0.5, 0);
  assert.equal(window.isExceeded(60_000, 29_000), false);
  assert.equal(window.isExceeded(60_250, 1_000), false);
  assert.equal(window.isExceeded(60_500, 29_100), false);
});
