/** How a fuzz test judges a reader or writer of foreign input. */
import assert from "node:assert/strict";
import { Random, rows } from "./random.ts";

/** Inputs of all targets together; `deno task fuzz` asks for more. */
export const INPUTS = Number(Deno.env.get("FUZZ_INPUTS") ?? 20_000);

/** The same inputs come with the same seed. */
export const SEED = Number(Deno.env.get("FUZZ_SEED") ?? 1);

/** Milliseconds that one input may take at most. */
export const LIMIT = 50;

/** Code that reads or writes foreign input in the main thread. */
export interface Target {
  readonly name: string;
  /** How many of a million inputs the target gets, in parts; targets that take long get fewer. @default {1} */
  readonly share?: number;
  /** Makes an input and feeds it. An error that refuses the input is fine. */
  readonly feed: (random: Random) => unknown;
  /** Feeds a text, for code that scans texts: it gets the worst ones that we know, too. */
  readonly read?: (text: string) => unknown;
}

/** Characters of the worst texts. */
const LONG = 65_536;

/**
 * Registers a test for each target: no input stops the main thread for {@linkcode LIMIT} ms, and each one is taken or
 * refused with an error that somebody has written.
 */
export function fuzz(targets: readonly Target[]): void {
  const shares = targets.reduce((sum, { share = 1 }) => sum + share, 0);
  for (const { name, share = 1, feed, read } of targets) {
    Deno.test(`${name} takes or refuses whatever comes, in little time`, () => {
      const random = new Random(SEED + hash(name));
      const names = prototypeNames();
      for (let left = Math.ceil(INPUTS * share / shares); left > 0; left--) {
        const again = random.clone();
        judge(() => feed(random), () => feed(again.clone()));
      }
      if (read !== undefined) {
        for (const text of rows(LONG)) judge(() => read(text));
      }
      assert.deepEqual(prototypeNames(), names, "an input has changed a prototype");
    });
  }
}

/** A pause of the garbage collector or of the machine does not come ten times. */
function judge(feed: () => unknown, feedAgain: () => unknown = feed): void {
  let took = timed(feed);
  for (let tries = 0; took > LIMIT && tries < 9; tries++) took = Math.min(took, timed(feedAgain));
  assert.ok(took <= LIMIT, `an input took ${took.toFixed(0)} ms`);
}

function timed(feed: () => unknown): number {
  const start = performance.now();
  try {
    feed();
  } catch (error) {
    assert.ok(error instanceof Error, `an input was refused with ${String(error)}`);
    assert.doesNotMatch(`${error.name}: ${error.message}`, ACCIDENT);
  }
  return performance.now() - start;
}

/** Messages of errors that nobody has written: the code did not expect the input. */
const ACCIDENT =
  /call stack|is not a function|is not iterable|Cannot read propert|Cannot convert|Invalid (?:string|array) length/;

/** Lists all names that the prototypes of JavaScript have, which no input may change. */
export function prototypeNames(): readonly string[] {
  return [Object.prototype, Array.prototype, String.prototype, Function.prototype].flatMap((each) =>
    Object.getOwnPropertyNames(each)
  );
}

function hash(text: string): number {
  let sum = 0;
  for (const character of text) sum = (Math.imul(sum, 31) + character.codePointAt(0)!) | 0;
  return sum;
}
