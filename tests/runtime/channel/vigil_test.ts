import { deepStrictEqual, equal } from "node:assert/strict";
import { Vigil } from "../../../runtime/channel/vigil.ts";

/** Looks in vain once more, and returns how often the side goes to sleep at once after that. */
function sleepsAfterFailure(vigil: Vigil): number {
  vigil.goesOn(false);
  let sleeps = 0;
  while (!vigil.goesOn(true)) sleeps++;
  return sleeps;
}

Deno.test("a side looks once more only while messages come at short intervals", () => {
  const vigil = new Vigil();
  equal(vigil.goesOn(false), false);
  equal(vigil.goesOn(true), true);
  equal(vigil.goesOn(true), true);
  equal(vigil.goesOn(false), false);
});

Deno.test("a side that looks in vain looks ever less often, and never gives up for good", () => {
  const vigil = new Vigil();
  vigil.goesOn(true);
  const sleeps = Array.from({ length: 8 }, () => sleepsAfterFailure(vigil));
  deepStrictEqual(sleeps, [1, 3, 7, 15, 31, 63, 63, 63]);
});

Deno.test("a look that has found something makes up for those that were in vain", () => {
  const vigil = new Vigil();
  vigil.goesOn(true);
  for (let failure = 0; failure < 5; failure++) sleepsAfterFailure(vigil);
  vigil.found();
  equal(vigil.goesOn(true), true);
  equal(sleepsAfterFailure(vigil), 1);
});

Deno.test("a message that wakes a sleeping side says nothing about looks", () => {
  const vigil = new Vigil();
  vigil.goesOn(true);
  equal(sleepsAfterFailure(vigil), 1);
  vigil.goesOn(false);
  vigil.found();
  vigil.goesOn(true);
  vigil.goesOn(true);
  vigil.goesOn(true);
  equal(vigil.goesOn(true), true);
  equal(sleepsAfterFailure(vigil), 7);
});
