import { deepStrictEqual, strictEqual } from "node:assert/strict";
import { passLines } from "../../../runtime/log/output/whole_lines.ts";

async function passed(...pieces: readonly string[]): Promise<readonly string[]> {
  const lines: string[] = [];
  await passLines(
    ReadableStream.from(pieces).pipeThrough(new TextEncoderStream()),
    (text) => void lines.push(text),
  );
  return lines;
}

Deno.test("passLines() passes on what has an end, and keeps the beginning of a line until its end arrives", async () => {
  deepStrictEqual(await passed("one\ntwo\nthr", "e", "e\nfour\n"), ["one\ntwo\n", "three\nfour\n"]);
});

Deno.test("passLines() ends a last line that has no end", async () => {
  deepStrictEqual(await passed("one\ntwo"), ["one\n", "two\n"]);
});

Deno.test("passLines() holds no more than a mebibyte of a line that does not end", async () => {
  const [first, ...rest] = await passed(..."x".repeat(20).split("").map((text) => text.repeat(100_000)), "y");
  strictEqual(first!.length, 1_100_001);
  deepStrictEqual(rest.map((text) => text.length), [900_002]);
});
