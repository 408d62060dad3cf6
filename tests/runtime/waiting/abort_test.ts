import assert from "node:assert/strict";
import { abortable, pause, timeLimit } from "../../../runtime/waiting/abort.ts";

Deno.test("timeLimit() does not abort early at a limit beyond what a timer can hold", async () => {
  using limit = timeLimit(2 ** 40);
  await pause(5);
  assert.equal(limit.signal.aborted, false);
});

Deno.test("abortable() rejects with the reason of a signal that has aborted, and lets the promise fail unnoticed", async () => {
  const { promise, reject } = Promise.withResolvers<never>();
  const reason = new Error("over");
  await assert.rejects(abortable(promise, AbortSignal.abort(reason)), reason);
  reject(new Error("too late"));
});

Deno.test("abortable() gives what the promise gives", async () => {
  assert.equal(await abortable(Promise.resolve(1), new AbortController().signal), 1);
});
