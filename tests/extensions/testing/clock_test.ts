import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { cron, event, rpc, service, timer } from "../../../mod.ts";
import { testClock, testServices } from "../../../extensions/testing/mod.ts";

const nightly = service("nightly", {
  entrypoints: {
    sweep: timer({ interval: 3_600 }),
    report: cron("0 18 * * *", { timezone: "UTC" }),
    confirm: event<number>("orders", "placed", { retry: { max: 1, backoff: 60_000 } }),
    hang: rpc(),
  },
  handlers: {
    sweep: () => {},
    report: () => {},
    confirm() {
      throw new Error("bad luck");
    },
    hang: ({ call }) =>
      new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve(), { once: true })),
  },
});

Deno.test("a clock that the test moves moves timers, crons, retries and deadlines", async (test) => {
  const clock = testClock({ start: "2030-01-01T17:00:00Z", patience: 20 });
  await using app = await testServices([nightly], { clock, logLevel: "error" });
  const methods = () => app.calls.map(({ method }) => method).sort();
  await test.step("timers and crons tick when their time comes", async () => {
    await clock.advance("59m");
    deepStrictEqual(methods(), []);
    await clock.advance("1m");
    await app.idle();
    deepStrictEqual(methods(), ["report", "sweep"]);
  });
  await test.step("idle() does not wait for a time that only the test brings", async () => {
    await app.dispatch("orders", "placed", 7);
    await app.waitFor("nightly.confirm");
    await app.idle();
    await clock.advance("1m");
    strictEqual((await app.waitFor("nightly.confirm")).outcome.ok, false);
  });
  await test.step("a call ends when its time is up", async () => {
    const call = rejects(app.client(nightly).hang.with({ timeout: 60_000 })(), { name: "CallTimeoutError" });
    await clock.advance("1m");
    await call;
    await app.waitFor("nightly.hang");
  });
});
