import { deepStrictEqual, ok, strictEqual, throws } from "node:assert/strict";
import {
  type Duration,
  millisecondsOf,
  requireDuration,
  shownDuration,
} from "../../../runtime/waiting/duration.ts";

Deno.test("a text is the sum of its numbers and units", () => {
  const texts = {
    "500ms": 500,
    "30s": 30_000,
    "5m": 300_000,
    "2h": 7_200_000,
    "1d": 86_400_000,
    "1m30s": 90_000,
    "1h30m15s": 5_415_000,
    "1d2h3m4s5ms": 93_784_005,
    "1s500ms": 1_500,
    "0.5s": 500,
    "1.1s": 1_100,
    "0s": 0,
  };
  deepStrictEqual(Object.keys(texts).map((text) => millisecondsOf(text)), Object.values(texts));
});

Deno.test("a bare number counts what the place says, and a text does not care", () => {
  strictEqual(millisecondsOf(2), 2);
  strictEqual(millisecondsOf(2, 1_000), 2_000);
  strictEqual(millisecondsOf("2s", 1_000), 2_000);
});

Deno.test("what is no duration passes no check of a range", () => {
  const others = [
    "",
    "2 secs",
    "2",
    "s",
    "-1s",
    "1e3s",
    "1s 5ms",
    "30s1m",
    "1s1s",
    "2S",
    "1.s",
    ".5s",
    true,
    null,
    {},
  ];
  for (const other of [...others, undefined, "1".repeat(100) + "s"]) {
    const milliseconds = millisecondsOf(other);
    ok(!(milliseconds >= 0), `${shownDuration(other)} is ${milliseconds}`);
  }
});

Deno.test("a mistyped text does not compile", () => {
  const given: Duration[] = ["2s", "500ms", "1m30s", "1h30m15s", "1d12h", 5];
  // @ts-expect-error It has a space, and a unit that is none.
  given.push("2 secs");
  // @ts-expect-error It has no unit.
  given.push("2");
  // @ts-expect-error It has an unknown unit.
  given.push("2w");
  // @ts-expect-error It has no number.
  given.push("s");
  strictEqual(given.length, 10);
});

Deno.test("requireDuration() gives milliseconds, or says what forms there are", () => {
  strictEqual(requireDuration("Cannot wait", "timeout", "2s"), 2_000);
  throws(() => requireDuration("Cannot wait", "timeout", "2 secs" as Duration), {
    name: "RangeError",
    message:
      'Cannot wait: timeout must be milliseconds, 0 or more, or a text such as "500ms", "30s", "5m", ' +
      '"2h", "1d" or "1m30s", got "2 secs"',
  });
});
