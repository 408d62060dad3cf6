import { deepStrictEqual, doesNotMatch, match, ok, strictEqual } from "node:assert/strict";
import { boundText, MAX_LOGGED_TEXT } from "../../../runtime/log/bounded_text.ts";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import { formatJsonLine, formatPrettyLine } from "../../../runtime/log/log_line.ts";
import { MAX_LOGGED_PROPERTIES } from "../../../runtime/log/plain_properties.ts";

const LONG = "x".repeat(100_000);

/** What stays of {@linkcode LONG} in the log. */
const CUT = /^x{8152}… \[91848 characters left out\]$/;

/** Returns the record of a message, as it comes out of the log. */
function recordOf(message: string, properties: Readonly<Record<string, unknown>>): LogRecord {
  const records: LogRecord[] = [];
  createLog({ emit: (record) => records.push(structuredClone(record)) }).info(message, properties);
  return records[0]!;
}

Deno.test("boundText() leaves a text as it is if it is short enough", () => {
  for (const text of ["", "x", "x".repeat(MAX_LOGGED_TEXT)]) strictEqual(boundText(text), text);
});

Deno.test("boundText() cuts a longer text and says how much it leaves out", () => {
  match(boundText(LONG), CUT);
  strictEqual(boundText(boundText(LONG)), boundText(LONG));
});

Deno.test("boundText() splits no character", () => {
  for (const before of ["", "x"]) ok(boundText(before + "😀".repeat(10_000)).isWellFormed());
});

for (
  const [what, before] of [
    ["the password of a URI", "amqp://user:"],
    ["a password of digits", "amqp://user:12345"],
    ["a password", "password="],
    ["a password in quotes", 'password="'],
    ["a token in quotes", "token='a b "],
  ] as const
) {
  Deno.test(`boundText() shows no part of ${what} that it cuts`, () => {
    for (let offset = 0; offset < 60; offset++) {
      const secret = "hunter2".repeat(5_000);
      const text = " ".repeat(MAX_LOGGED_TEXT - 100 + offset) + before + secret + "@host";
      doesNotMatch(boundText(text), /hunt|12345/, String(offset));
    }
  });
}

Deno.test("a log cuts the message and each text of its properties", () => {
  const { message, properties } = recordOf(LONG, {
    text: LONG,
    nested: [{ text: LONG }],
    map: new Map([["key", LONG]]),
    symbol: Symbol(LONG),
  });
  match(message, CUT);
  match(properties!["text"] as string, CUT);
  match((properties!["nested"] as readonly { readonly text: string }[])[0]!.text, CUT);
  match((properties!["map"] as readonly (readonly string[])[])[0]![1]!, CUT);
  strictEqual((properties!["symbol"] as string).length <= MAX_LOGGED_TEXT, true);
});

Deno.test("a log cuts the message of an error and keeps the frames of its stack", () => {
  const { error } = recordOf("failed", { error: new TypeError(LONG, { cause: new Error(LONG) }) });
  match(error!.message, CUT);
  match(error!.stack!, /^TypeError: x{8000,8192}… \[\d+ characters left out\]\n +at .*bounded_text_test/);
  match(error!.stack!, /Caused by: Error: x{8000,8192}… \[\d+ characters left out\]\n +at /);
});

Deno.test("a log cuts properties that are large together, and says how much it leaves out", () => {
  const many = Array.from({ length: 100_000 }, (_, index) => index);
  for (
    const value of [
      many,
      new Set(many),
      Object.fromEntries(many.map((each) => [`k${each}`, each])),
      many.map(() => LONG),
    ]
  ) {
    const { properties } = recordOf("many", { value, after: 1 });
    const text = JSON.stringify(properties);
    ok(text.length < 2 * MAX_LOGGED_PROPERTIES, String(text.length));
    match(text, /\[\d+ left out\]/);
  }
});

Deno.test("a log leaves properties of a usual size as they are", () => {
  const properties = { list: Array.from({ length: 1_000 }, (_, index) => index), text: "x".repeat(8_000) };
  deepStrictEqual(recordOf("usual", properties).properties, properties);
});

Deno.test("a line is short whoever made its record", () => {
  const record = {
    level: "info",
    message: LONG,
    time: 0,
    properties: { text: LONG, [LONG]: [LONG] },
  } as const;
  for (const line of [formatJsonLine(record), formatPrettyLine(record, false)]) {
    ok(line.length < 5 * MAX_LOGGED_TEXT, String(line.length));
  }
});
