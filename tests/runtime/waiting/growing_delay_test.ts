import { ok, strictEqual } from "node:assert/strict";
import { growingDelay } from "../../../runtime/waiting/growing_delay.ts";

/** Takes so many samples of a delay that chance hardly spares either end. */
function samples(failures: number): readonly number[] {
  return Array.from({ length: 200 }, () => growingDelay(failures, { first: 100, longest: 1_000 }));
}

Deno.test("growingDelay() doubles with each failure up to the longest, and is never less than half of that", () => {
  for (
    const [failures, most] of [[1, 100], [2, 200], [3, 400], [4, 800], [5, 1_000], [1e9, 1_000]] as const
  ) {
    const delays = samples(failures);
    ok(delays.every((delay) => delay >= most / 2 && delay <= most), `${failures} failures: ${delays}`);
  }
});

Deno.test("growingDelay() differs from one client to the next", () => {
  strictEqual(new Set(samples(1)).size, 200);
});
