import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { rpc } from "../../extensions/rpc/mod.ts";
import { cron, type CronSpec, timer, type TimerSpec } from "../../extensions/timer/mod.ts";
import { service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

Deno.test("timer() and cron() type handlers that receive nothing but the context", () => {
  const clock = service("clock", {
    entrypoints: { sweep: timer({ interval: 60 }), report: cron("@daily") },
    handlers: {
      sweep(context) {
        type _ = Expect<Equal<keyof typeof context, "call">>;
      },
      report: () => Promise.resolve(7),
    },
  });
  type _1 = Expect<Equal<typeof clock.entrypoints.sweep, TimerSpec>>;
  type _2 = Expect<Equal<typeof clock.entrypoints.report, CronSpec>>;
  strictEqual(clock.entrypoints.sweep.kind, "timer");
  strictEqual(clock.entrypoints.report.kind, "cron");
});

Deno.test("timer() does not compile with a handler that wants more than the context", () => {
  service("greedy", {
    entrypoints: { sweep: timer({ interval: 60 }) },
    // @ts-expect-error A tick brings no argument.
    handlers: { sweep: (_context, count: number) => count },
  });
});

Deno.test("timer() and rpc() may share a method", () => {
  const shared = service("shared", {
    entrypoints: { sweep: [timer({ interval: 60 }), rpc()] },
    handlers: { sweep: () => "swept" },
  });
  strictEqual(shared.entrypoints.sweep.length, 2);
});

Deno.test("timer() makes plain data of its options", () => {
  deepStrictEqual(
    timer({ interval: 0.5, eager: true, once: "cluster", timeout: 100, expected: ["Late"] }).options,
    { interval: 0.5, eager: true, once: "cluster", timeout: 100 },
  );
});

Deno.test("cron() makes plain data of its options", () => {
  deepStrictEqual(cron("@daily", { timezone: "Asia/Tokyo" }).options, {
    pattern: "@daily",
    timezone: "Asia/Tokyo",
  });
});

for (const interval of [0, -1, NaN, Infinity]) {
  Deno.test(`timer() refuses an interval of ${interval}`, () => {
    throws(() => timer({ interval }), RangeError);
  });
}

Deno.test("timer() and cron() refuse a timeout of 0", () => {
  throws(() => timer({ interval: 1, timeout: 0 }), RangeError);
  throws(() => cron("@daily", { timeout: 0 }), RangeError);
});

Deno.test("timer() and cron() refuse a once that is not cluster", () => {
  // @ts-expect-error Only "cluster" is known.
  throws(() => timer({ interval: 1, once: "planet" }), TypeError);
  // @ts-expect-error Only "cluster" is known.
  throws(() => cron("@daily", { once: true }), TypeError);
});

Deno.test("cron() refuses what is no text", () => {
  throws(() => cron(""), TypeError);
  // @ts-expect-error A pattern is a text.
  throws(() => cron(5), TypeError);
});
