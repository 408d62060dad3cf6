import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { PermitDesk } from "../../../extensions/sql/limit/permit_desk.ts";

/** Says whether a promise is fulfilled by now. */
async function isDone(promise: Promise<unknown>): Promise<boolean> {
  let done = false;
  void promise.then(() => done = true);
  await new Promise((resolve) => setTimeout(resolve));
  return done;
}

function deskOf(limit: number, ...holders: readonly string[]): PermitDesk {
  const desk = new PermitDesk(limit);
  for (const holder of holders) desk.join(holder);
  return desk;
}

Deno.test("the desk gives no more permits than its limit, in the order of the questions", async () => {
  const desk = deskOf(1, "a", "b");
  await desk.take("a", 1, undefined);
  const second = desk.take("b", 1, undefined);
  const third = desk.take("a", 2, undefined);
  strictEqual(await isDone(second), false);
  desk.give("a", 1);
  await second;
  strictEqual(await isDone(third), false);
  desk.give("b", 1);
  await third;
  deepStrictEqual(desk.load, { out: 1, waiting: 0 });
});

Deno.test("a permit that comes back twice, or was never given, changes nothing", async () => {
  const desk = deskOf(1, "a", "b");
  await desk.take("a", 1, undefined);
  desk.give("b", 1);
  desk.give("a", 7);
  desk.give("nobody", 1);
  deepStrictEqual(desk.load, { out: 1, waiting: 0 });
  desk.give("a", 1);
  desk.give("a", 1);
  deepStrictEqual(desk.load, { out: 0, waiting: 0 });
});

Deno.test("a holder that is lost gives back what it has, and waits no more", async () => {
  const desk = deskOf(1, "a", "b", "c");
  await desk.take("a", 1, undefined);
  void desk.take("b", 1, undefined);
  const third = desk.take("c", 1, undefined);
  desk.leave("b");
  desk.leave("a");
  await third;
  deepStrictEqual(desk.load, { out: 1, waiting: 0 });
  await rejects(desk.take("a", 2, undefined), TypeError);
});

Deno.test("a wait that nobody waits for any more takes no permit", async () => {
  const desk = deskOf(1, "a", "b");
  await desk.take("a", 1, undefined);
  const controller = new AbortController();
  const second = desk.take("b", 1, controller.signal);
  controller.abort(new Error("nobody waits"));
  await rejects(second, /nobody waits/);
  deepStrictEqual(desk.load, { out: 1, waiting: 0 });
});

Deno.test("each holder hears once of each other one that waits, and not of itself", async () => {
  const desk = deskOf(1, "a", "b");
  await desk.take("a", 1, undefined);
  const own = desk.take("a", 2, undefined);
  const news = desk.wanted("a", 0, undefined);
  strictEqual(await isDone(news), false);
  void desk.take("b", 1, undefined);
  const heard = await news;
  const more = desk.wanted("a", heard, undefined);
  strictEqual(await isDone(more), false);
  void desk.take("b", 2, undefined);
  strictEqual(await more, heard + 1);
  strictEqual(await isDone(own), false);
});

Deno.test("as many holders give a permit back as others wait", async () => {
  const desk = deskOf(3, "a", "b", "c", "d");
  for (const holder of ["a", "b", "c"]) await desk.take(holder, 1, undefined);
  deepStrictEqual([desk.mayKeep("a"), desk.mayKeep("b")], [true, true]);
  const waiting = desk.take("d", 1, undefined);
  deepStrictEqual([desk.mayKeep("a"), desk.mayKeep("b"), desk.mayKeep("c")], [false, true, true]);
  desk.give("a", 1);
  await waiting;
  strictEqual(desk.mayKeep("b"), true);
});
