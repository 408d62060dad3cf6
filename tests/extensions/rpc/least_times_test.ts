import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { LeastTimes, replyHeaders } from "../../../extensions/rpc/least_times.ts";

const SLOW = replyHeaders(100);

Deno.test("replyHeaders() tells nothing of methods that are short or not measured", () => {
  deepStrictEqual([replyHeaders(0), replyHeaders(4.9)], [{}, {}]);
  deepStrictEqual(Object.values(SLOW), [100]);
});

Deno.test("LeastTimes lets a request wait as long as its caller while nothing is known of the method", () => {
  const times = new LeastTimes();
  times.learn("orders", "place", SLOW);
  strictEqual(times.expiration("orders.show", 1_000), 1_000);
});

Deno.test("LeastTimes lets a request wait for so long that it can still be answered", () => {
  const times = new LeastTimes();
  times.learn("orders", "place", SLOW);
  strictEqual(times.expiration("orders.place", 1_000), 850);
});

Deno.test("LeastTimes lets a request wait for a tenth of its time in any case", () => {
  const times = new LeastTimes();
  times.learn("orders", "place", SLOW);
  deepStrictEqual([100, 50].map((left) => times.expiration("orders.place", left)), [10, 5]);
});

Deno.test("LeastTimes forgets what a method took when a reply says no more so", () => {
  const times = new LeastTimes();
  times.learn("orders", "place", SLOW);
  times.learn("orders", "place", {});
  strictEqual(times.expiration("orders.place", 1_000), 1_000);
});

Deno.test("LeastTimes believes no value that is no time", () => {
  const [header] = Object.keys(SLOW) as [string];
  for (const value of ["100", -100, 0, NaN, null, {}, true]) {
    const times = new LeastTimes();
    times.learn("orders", "place", { [header]: value });
    strictEqual(times.expiration("orders.place", 1_000), 1_000, String(value));
  }
});

Deno.test("LeastTimes learns from replies that come too late, if they answer its own requests", () => {
  const times = new LeastTimes();
  times.learnLate("a stranger's", SLOW);
  times.awaitLate("mine", "orders.place");
  strictEqual(times.expiration("orders.place", 1_000), 1_000);
  times.learnLate("mine", SLOW);
  strictEqual(times.expiration("orders.place", 1_000), 850);
});

Deno.test("LeastTimes remembers no more than some late requests and some methods", () => {
  const times = new LeastTimes();
  for (let id = 0; id <= 1_000; id++) times.awaitLate(`${id}`, `orders.method${id}`);
  times.learnLate("0", SLOW);
  strictEqual(times.expiration("orders.method0", 1_000), 1_000);
  times.learnLate("1000", SLOW);
  strictEqual(times.expiration("orders.method1000", 1_000), 850);
  for (let method = 0; method <= 1_000; method++) times.learn("payments", `method${method}`, SLOW);
  strictEqual(times.expiration("orders.method1000", 1_000), 1_000);
});
