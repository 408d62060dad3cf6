import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import { createLog } from "../../../runtime/log/log.ts";
import { InlineThreads } from "../../../runtime/spawning/inline_threads.ts";
import { PoolStage } from "../../conformance/pool_stage.ts";
import { DoomedCalls } from "../../../runtime/pool/doomed_calls.ts";

const SHOW = 0;
const SLOW = 1;

/** Refusals at times that the test gives. Each call is one of `orders.slow`, with so many milliseconds left. */
class Stage {
  readonly messages: string[] = [];
  readonly calls: DoomedCalls;

  constructor(measures = true) {
    this.calls = new DoomedCalls({
      service: "orders",
      entrypoints: ["show", "slow"].map((method) => ({ kind: "rpc", method, options: {} })),
      log: createLog({ emit: ({ message }) => this.messages.push(message) }),
    }, measures);
  }

  /** Measures runs from a time on, each of so many milliseconds, one every 250 ms. Returns the time after it. */
  measure(from: number, ...runs: readonly number[]): number {
    for (const [at, elapsed] of runs.entries()) this.calls.record(SLOW, elapsed, from + at * 250);
    return from + runs.length * 250;
  }

  runs(left: number, now: number, entrypoint = SLOW): boolean {
    // The clock may tick between here and there, and no test is about a difference so small.
    return this.calls.refusalOf({ ...CALL, entrypoint, deadline: Date.now() + left + 0.5 }, now) ===
      undefined;
  }

  [Symbol.dispose](): void {
    this.calls.end();
  }
}

const CALL = { body: undefined, contentType: undefined, headers: undefined };

/** Measurements of a whole window: ten runs, and two seconds. */
const WINDOW = new Array<number>(10).fill(100);

Deno.test("DoomedCalls refuses a call whose deadline has passed, whatever it knows", () => {
  for (const measures of [true, false]) {
    using stage = new Stage(measures);
    const outcome = stage.calls.refusalOf({ ...CALL, entrypoint: SHOW, deadline: Date.now() - 1 });
    strictEqual(outcome?.status, "failed");
    const { failure, expected } = outcome as Extract<typeof outcome, { readonly status: "failed" }>;
    deepStrictEqual([failure.name, failure.code, failure.message, expected], [
      "CallTimeoutError",
      "TIMEOUT",
      "Cannot run orders.show: its deadline has passed",
      true,
    ]);
  }
});

Deno.test("DoomedCalls refuses no call before it has measured enough runs, for long enough", () => {
  using few = new Stage();
  strictEqual(few.runs(50, few.measure(0, ...WINDOW.slice(1))), true);
  using quick = new Stage();
  for (let run = 0; run < 100; run++) quick.calls.record(SLOW, 100, 10 * run);
  for (let call = 0; call < 2; call++) strictEqual(quick.runs(50, 1_000), true);
});

Deno.test("DoomedCalls refuses a call that has less time left than the shortest run took, with a margin", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW.map(() => 10_000));
  strictEqual(stage.runs(5_000, now), true, "the first is let through to measure again");
  deepStrictEqual([5_000, 10_500, 11_500].map((left) => stage.runs(left, now)), [false, false, true]);
});

Deno.test("DoomedCalls says in a refusal what is left and what the call takes", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW);
  stage.runs(50, now);
  const outcome = stage.calls.refusalOf({ ...CALL, entrypoint: SLOW, deadline: Date.now() + 50 }, now);
  match(
    JSON.stringify(outcome),
    /Cannot run orders\.slow: \d+ ms are left until its deadline, and it takes 100 ms at least/,
  );
});

Deno.test("DoomedCalls refuses nothing of a method that is sometimes fast", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW.slice(1), 3, ...WINDOW.slice(1));
  for (let call = 0; call < 3; call++) strictEqual(stage.runs(50, now), true);
});

Deno.test("DoomedCalls forgets a fast run after two windows", () => {
  using stage = new Stage();
  const now = stage.measure(0, 3, ...WINDOW.slice(1), ...WINDOW, ...WINDOW);
  stage.runs(50, now);
  strictEqual(stage.runs(50, now), false);
});

Deno.test("DoomedCalls lets one call a second through, so that a method that has become fast is run again", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW);
  deepStrictEqual([0, 500, 999, 1_000, 1_001].map((later) => stage.runs(50, now + later)), [
    true,
    false,
    false,
    true,
    false,
  ]);
  stage.calls.record(SLOW, 5, now + 1_010);
  for (let call = 0; call < 3; call++) strictEqual(stage.runs(50, now + 1_020), true);
});

Deno.test("DoomedCalls lets calls that take long through less often", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW.map(() => 4_000));
  deepStrictEqual([0, 7_999, 8_000].map((later) => stage.runs(50, now + later)), [true, false, true]);
});

Deno.test("DoomedCalls judges each entrypoint by its own runs", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW);
  for (let call = 0; call < 3; call++) strictEqual(stage.runs(50, now, SHOW), true);
});

Deno.test("DoomedCalls refuses no call that nobody waits for", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW);
  for (let call = 0; call < 3; call++) {
    strictEqual(stage.calls.refusalOf({ ...CALL, entrypoint: SLOW }, now), undefined);
  }
});

Deno.test("DoomedCalls judges a call by the time at which its answer must begin, if that is known", () => {
  using stage = new Stage();
  const now = stage.measure(0, ...WINDOW);
  const call = { ...CALL, entrypoint: SLOW, answerBy: Date.now() + 50 };
  stage.calls.refusalOf(call, now);
  strictEqual(stage.calls.refusalOf(call, now)?.status, "failed");
});

Deno.test("DoomedCalls that does not measure refuses no call that has time left, and names no time", () => {
  using stage = new Stage(false);
  const now = stage.measure(0, ...WINDOW);
  for (let call = 0; call < 3; call++) strictEqual(stage.runs(1, now), true);
  strictEqual(stage.calls.least(SLOW), 0);
});

Deno.test("DoomedCalls goes on with the measurements of another pool", () => {
  using former = new Stage();
  using stage = new Stage();
  const now = former.measure(0, ...WINDOW);
  stage.calls.inherit(former.calls);
  strictEqual(stage.calls.least(SLOW), 100);
  stage.runs(50, now);
  strictEqual(stage.runs(50, now), false);
});

Deno.test("DoomedCalls tells of the first refusal at once, and of the others together", () => {
  const stage = new Stage();
  const now = stage.measure(0, ...WINDOW);
  for (let call = 0; call < 1_235; call++) stage.runs(50, now);
  strictEqual(stage.messages.length, 1);
  stage.calls.end();
  strictEqual(stage.messages.length, 2);
  const told = (calls: string) =>
    new RegExp(
      `^Refused ${calls} that could not be answered in time\\. The latest was orders\\.slow: \\d+ ms were left, ` +
        "and it takes 100 ms at least\\. Allow callers more time, or raise max_workers or concurrency$",
    );
  match(stage.messages[0]!, told("1 call"));
  match(stage.messages[1]!, told("1,233 calls"));
});

Deno.test("Pool refuses calls by what it has measured, unless it is told not to", async () => {
  const judged = async (refuseDoomed: boolean) => {
    await using stage = await PoolStage.open((url) => Promise.resolve(new InlineThreads(url)), {
      maxWorkers: 1,
      refuseDoomed,
    });
    for (let run = 0; run < 22; run++) await stage.value("nap", 100);
    const outcomes = [];
    for (let call = 0; call < 2; call++) {
      outcomes.push((await stage.callWith({ deadline: Date.now() + 50 }, "nap", 100)).status);
    }
    return outcomes;
  };
  deepStrictEqual(await Promise.all([judged(true), judged(false)]), [["done", "failed"], ["done", "done"]]);
});
