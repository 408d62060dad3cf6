import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { TokenBucket } from "../../../runtime/waiting/token_bucket.ts";

Deno.test("a token bucket gives its burst at once, and then its rate", () => {
  const bucket = new TokenBucket({ perSecond: 10, burst: 3 });
  deepStrictEqual([0, 0, 0, 0].map((now) => bucket.take(now)), [true, true, true, false]);
  strictEqual(bucket.wait(0), 100);
  strictEqual(bucket.wait(50), 50);
  deepStrictEqual([100, 100, 150, 200].map((now) => bucket.take(now)), [true, false, false, true]);
});

Deno.test("a token bucket saves no more than its burst", () => {
  const bucket = new TokenBucket({ perSecond: 1_000, burst: 2 });
  bucket.take(0);
  deepStrictEqual([9_000, 9_000, 9_000].map((now) => bucket.take(now)), [true, true, false]);
});

Deno.test("the burst is the rate of a second, and at least one", () => {
  const slow = new TokenBucket({ perSecond: 0.5 });
  deepStrictEqual([0, 0].map((now) => slow.take(now)), [true, false]);
  strictEqual(slow.wait(0), 2_000);
});
