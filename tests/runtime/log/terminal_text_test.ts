import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { formatJsonLine, formatPrettyLine } from "../../../runtime/log/log_line.ts";
import { escapeControls, escapeControlsInLines } from "../../../runtime/log/terminal_text.ts";

const ALL = Array.from({ length: 0x2100 }, (_, code) => String.fromCharCode(code)).join("");

/** Characters that a terminal obeys, or that change the direction of the writing. */
function isControl(character: string): boolean {
  return /[\p{Cc}\p{Zl}\p{Zp}\u202a-\u202e\u2066-\u2069]/u.test(character);
}

Deno.test("escapeControls() leaves no control character and keeps all others", () => {
  strictEqual([...escapeControls(ALL)].some(isControl), false);
  const others = [...ALL].filter((character) => !isControl(character)).join("");
  strictEqual(escapeControls(others), others);
});

Deno.test("escapeControlsInLines() keeps line breaks and tabs, and no other control character", () => {
  deepStrictEqual([...escapeControlsInLines(ALL)].filter(isControl), ["\t", "\n"]);
});

Deno.test("escaped JSON means the same", () => {
  strictEqual(JSON.parse(escapeControls(JSON.stringify(ALL))), ALL);
  deepStrictEqual(JSON.parse(escapeControlsInLines(JSON.stringify({ [ALL]: [ALL] }, null, 2))), {
    [ALL]: [ALL],
  });
});

Deno.test("no part of a log line holds a control character", () => {
  const record = {
    level: "error",
    time: 0,
    service: ALL,
    message: ALL,
    properties: { [ALL]: ALL, list: [ALL] },
    error: { name: ALL, message: ALL },
  } as const;
  const stackLines = [...formatPrettyLine(record, false)].filter((character) => character !== "\n");
  strictEqual(stackLines.some(isControl), false);
  strictEqual([...formatJsonLine(record)].some(isControl), false);
});
