import { deepStrictEqual, match, strictEqual } from "node:assert/strict";
import {
  EntryLimit,
  type EntryLimitOptions,
  MOST_WAITING,
} from "../../../../runtime/hosting/limits/entry_limit.ts";
import type { Outcome } from "../../../../runtime/message/outcome.ts";

const DONE: Outcome = { status: "done", body: undefined };

function limitOf(options: Partial<EntryLimitOptions>) {
  const refused: string[] = [];
  let held = 0;
  const limit = new EntryLimit({
    name: "a.b",
    concurrency: undefined,
    rate: undefined,
    overLimit: "hold",
    onHeld: (more) => void (held += more),
    onRefused: (reason) => void refused.push(reason),
    ...options,
  });
  return { limit, refused, held: () => held };
}

const forever = () => new Promise<Outcome>(() => {});

Deno.test("as many callers wait as the bound says, and whoever comes then is refused at once", async () => {
  const { limit, refused } = limitOf({ concurrency: 1, overLimit: "wait" });
  for (let call = 0; call <= MOST_WAITING; call++) void limit.run(forever);
  const outcome = await limit.run(forever);
  strictEqual(outcome.status, "failed");
  match(JSON.stringify(outcome), /BULKHEAD_FULL/);
  match(JSON.stringify(outcome), /Cannot run \\"a\.b\\": 1000 calls wait already, since 1 at once may run/);
  deepStrictEqual(refused, ["full"]);
});

Deno.test("messages are held without a bound, and never refused", () => {
  const { limit, refused, held } = limitOf({ concurrency: 1 });
  for (let call = 0; call <= 2 * MOST_WAITING; call++) void limit.run(forever);
  strictEqual(held(), 2 * MOST_WAITING);
  deepStrictEqual(refused, []);
});

Deno.test("calls that are given back have not begun, and the others go on", async () => {
  const { limit, held } = limitOf({ concurrency: 1 });
  const first = Promise.withResolvers<Outcome>();
  const running = limit.run(() => first.promise);
  const given = limit.run(() => Promise.resolve(DONE));
  limit.giveBack("shed");
  deepStrictEqual(await given, { status: "unstarted", reason: "shed" });
  const next = limit.run(() => Promise.resolve(DONE));
  strictEqual(held(), 1);
  first.resolve(DONE);
  deepStrictEqual(await Promise.all([running, next]), [DONE, DONE]);
  strictEqual(held(), 0);
});
