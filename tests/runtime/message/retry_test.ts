import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { describeFailure } from "../../../runtime/message/failure.ts";
import { asksForRetry, nextRetry, Retry, retryOptions } from "../../../runtime/message/retry.ts";

const FAULT = describeFailure(new Error("boom"));

Deno.test("Retry crosses threads as a failure that asks for a retry", () => {
  const failure = describeFailure(new Retry({ after: 5_000, cause: new Error("why") }));
  strictEqual(asksForRetry(failure), true);
  strictEqual(asksForRetry(FAULT), false);
  deepStrictEqual([failure.name, failure.data, failure.retryable], ["Retry", { after: 5_000 }, true]);
});

Deno.test("Retry keeps its cause", () => {
  const cause = new Error("why");
  strictEqual(new Retry({ cause }).cause, cause);
});

Deno.test("Retry refuses a wait that is negative, endless or longer than a broker keeps", () => {
  for (const after of [-1, NaN, Infinity, 2 ** 31]) throws(() => new Retry({ after }), RangeError);
});

Deno.test("retryOptions() has defaults", () => {
  deepStrictEqual(retryOptions({}), { max: 20, initial: 1_000, factor: 2, limit: 300_000 });
  deepStrictEqual(retryOptions({ backoff: 50 }), { max: 20, initial: 50, factor: 1, limit: 50 });
});

Deno.test("retryOptions() refuses numbers that make no sense", () => {
  for (
    const policy of [{ max: -1 }, { backoff: -1 }, { backoff: { initial: 2 ** 31 } }, {
      backoff: { limit: NaN },
    }]
  ) {
    throws(() => retryOptions(policy), RangeError);
  }
});

Deno.test("nextRetry() grows the wait up to its limit, and ends after max", () => {
  const policy = retryOptions({ max: 5, backoff: { initial: 100, factor: 3, limit: 1_000 } });
  const waits = [1, 2, 3, 4, 5, 6].map((attempt) => nextRetry(FAULT, policy, attempt));
  deepStrictEqual(waits, [100, 300, 900, 1_000, 1_000, undefined]);
});

Deno.test("nextRetry() waits as long as the handler says, as often as the policy says", () => {
  const failure = describeFailure(new Retry({ after: 7 }));
  strictEqual(nextRetry(failure, retryOptions({ max: 1 }), 1), 7);
  strictEqual(nextRetry(failure, retryOptions({ max: 1 }), 2), undefined);
  strictEqual(nextRetry(failure, undefined, 20), 7);
  strictEqual(nextRetry(failure, undefined, 21), undefined);
});

Deno.test("nextRetry() takes the policy's wait where the handler names none", () => {
  strictEqual(nextRetry(describeFailure(new Retry()), retryOptions({ backoff: 30 }), 1), 30);
  strictEqual(nextRetry(describeFailure(new Retry({ after: 0 })), retryOptions({ backoff: 30 }), 1), 0);
});

Deno.test("nextRetry() never waits for what is no number", () => {
  const policy = retryOptions({ max: Infinity, backoff: { initial: 0, factor: 10 } });
  strictEqual(nextRetry(FAULT, policy, 1_000), 0);
});
