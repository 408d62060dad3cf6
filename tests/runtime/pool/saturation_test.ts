import { deepStrictEqual } from "node:assert/strict";
import { createLog } from "../../../runtime/log/log.ts";
import { Saturation, type ThreadLoad } from "../../../runtime/pool/saturation.ts";

/** Looks at threads that are in these states at these times, while calls have waited since time 0. */
function told(times: readonly number[], threads: readonly ThreadLoad[], calls = 1): readonly string[] {
  const messages: string[] = [];
  const saturation = new Saturation({
    service: "shop",
    entrypoints: ENTRYPOINTS,
    log: createLog({ emit: ({ message }) => messages.push(message) }),
  });
  const queue = Array.from({ length: calls }, () => ({ queuedAt: 0 }));
  const each = new Set(threads.map((thread) => ({ ...thread })));
  const limits = { maxWorkers: threads.length, concurrency: 1 };
  for (const now of times) saturation.look(now, each, { length: queue.length, oldest: queue[0] }, limits);
  return messages;
}

const ENTRYPOINTS = ["buy", "sell"].map((method) => ({ method, kind: "rpc", options: {} }));

const NOTHING = { size: 0, asks: () => false };
const BUSY = { assigned: 1, jobs: [{ invocation: { entrypoint: 0 } }], requests: NOTHING, busySince: 0 };
const SELLING = { ...BUSY, jobs: [undefined, { invocation: { entrypoint: 1 } }] };
const WAITING = { ...BUSY, requests: { size: 1, asks: () => false } };
const ASKING = { ...BUSY, requests: { size: 1, asks: (service: string) => service === "shop" } };
const IDLE = { assigned: 0, jobs: [undefined], requests: NOTHING, busySince: 0 };

const WAY_OUT = 'Raise max_workers or concurrency of service "shop", or serve it in further processes';

Deno.test("Saturation says how many calls wait, for how long, and which methods hold the threads", () =>
  deepStrictEqual(told([1_000, 6_200], [BUSY, SELLING, BUSY], 3), [
    "All 3 threads are busy while 3 calls wait for a thread, the oldest for 6.2 s. " +
    `They run 2 × shop.buy, 1 × shop.sell. ${WAY_OUT}`,
  ]));

Deno.test("Saturation says early that all threads wait for other calls", () =>
  deepStrictEqual(told([100, 300], [WAITING, WAITING]), [
    "All 2 threads wait for answers of other calls while 1 call waits for a thread, the oldest for 0.3 s. " +
    'They run 2 × shop.buy. If service "shop" is called by those that it calls, raise max_workers or concurrency',
  ]));

Deno.test("Saturation says that all threads wait where the broker holds the other calls", () =>
  deepStrictEqual(told([1_000, 5_500], [WAITING], 0), [
    "The only thread has waited for answers of other calls for 5.5 s and has finished none. They run 1 × shop.buy. " +
    'If service "shop" is called by those that it calls, raise max_workers or concurrency',
  ]));

Deno.test("Saturation says that a service which calls itself has no thread left for that", () => {
  const reason = 'service "shop" itself, which has no thread left for that: raise max_workers or concurrency';
  deepStrictEqual(told([1_000, 5_500], [ASKING], 0), [
    "The only thread has waited for answers of other calls for 5.5 s and has finished none. They run 1 × shop.buy. " +
    `They call ${reason}`,
  ]);
  deepStrictEqual(
    told([1_000, 5_500], [ASKING, WAITING], 0).map((text) => text.endsWith(`Some call ${reason}`)),
    [
      true,
    ],
  );
});

Deno.test("Saturation repeats itself after a minute, and not before", () =>
  deepStrictEqual(told([6_000, 30_000, 65_000, 66_000, 70_000], [BUSY]).length, 2));

const BUSY_LATELY = { ...BUSY, busySince: Infinity };

Deno.test("Saturation says after a minute that all threads are busy, though no call waits here", () =>
  deepStrictEqual(told([1_000, 30_000, 60_999, 61_000], [BUSY_LATELY, BUSY_LATELY], 0), [
    "All 2 threads have been busy for 60.0 s whenever this service looked, so that calls may wait in the broker. " +
    `They run 2 × shop.buy. ${WAY_OUT}`,
  ]));

Deno.test("Saturation counts the time of busy threads anew after a rest", () => {
  const messages: string[] = [];
  const saturation = new Saturation({
    service: "shop",
    entrypoints: ENTRYPOINTS,
    log: createLog({ emit: ({ message }) => messages.push(message) }),
  });
  const limits = { maxWorkers: 1, concurrency: 1 };
  for (
    const [now, load] of [[0, BUSY_LATELY], [30_000, IDLE], [31_000, BUSY_LATELY], [
      61_000,
      BUSY_LATELY,
    ]] as const
  ) {
    saturation.look(now, new Set([load]), { length: 0, oldest: undefined }, limits);
  }
  deepStrictEqual(messages, []);
});

Deno.test("Saturation says nothing while a thread has room", () =>
  deepStrictEqual(told([6_000], [WAITING, BUSY, IDLE]), []));
