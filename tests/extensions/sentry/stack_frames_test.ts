import { deepStrictEqual } from "node:assert/strict";
import { readStacks } from "../../../extensions/sentry/stack_frames.ts";

Deno.test("readStacks() gives the first cause first, and the frame of the throw last", () => {
  const stack = [
    "TypeError: two",
    "lines",
    "    at place (file:///srv/shop.ts:3:5)",
    "    at async file:///srv/shop.ts:9:1",
    "Caused by: Error: deep",
    "    at query (file:///root/.cache/deno/npm/registry.npmjs.org/pg/8/lib.js:1:2)",
  ].join("\n");
  const own = { function: "place", filename: "file:///srv/shop.ts", lineno: 3, colno: 5, in_app: true };
  deepStrictEqual(readStacks(stack), [
    {
      type: "Error",
      value: "deep",
      stacktrace: {
        frames: [{
          function: "query",
          filename: "file:///root/.cache/deno/npm/registry.npmjs.org/pg/8/lib.js",
          lineno: 1,
          colno: 2,
          in_app: false,
        }],
      },
    },
    {
      type: "TypeError",
      value: "two\nlines",
      stacktrace: { frames: [{ ...own, function: "?", lineno: 9, colno: 1 }, own] },
    },
  ]);
});

Deno.test("readStacks() takes a text without frames for the message", () => {
  deepStrictEqual(readStacks("gone"), [{ type: "Error", value: "gone" }]);
});
