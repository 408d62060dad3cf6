import { deepStrictEqual } from "node:assert/strict";
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";

Deno.test("Cancellation.cancel() calls the latest listener, once", () => {
  const heard: string[] = [];
  const cancellation = new Cancellation();
  cancellation.onCancel(() => heard.push("first"));
  cancellation.onCancel(() => heard.push("second"));
  cancellation.cancel();
  cancellation.cancel();
  deepStrictEqual(heard, ["second"]);
});

Deno.test("Cancellation.onCancel() calls at once what comes too late", () => {
  const heard: string[] = [];
  const cancellation = new Cancellation();
  cancellation.cancel();
  cancellation.onCancel(() => heard.push("late"));
  deepStrictEqual(heard, ["late"]);
});
