import { deepStrictEqual, equal, match } from "node:assert/strict";
import { compileFormat, unknownAttributes } from "../../../extensions/python_logging/record_format.ts";
import { formatTime } from "../../../extensions/python_logging/time_format.ts";

const RECORD = {
  level: "warning",
  message: "placed",
  service: "orders",
  thread: "orders#1",
  time: Date.UTC(2026, 0, 31, 13, 5, 9, 42),
  properties: { id: 7, password: "hidden" },
} as const;

Deno.test("the three styles of Python name the same attributes", () => {
  const formats = [
    ["%", "%(levelname)s %(levelno)d %(name)s %(threadName)s %(message)s 100%%"],
    ["{", "{levelname} {levelno} {name} {threadName} {message} 100%"],
    ["$", "$levelname $levelno ${name} $threadName $message 100%"],
  ] as const;
  for (const [style, format] of formats) {
    const line = compileFormat(format, { style })(RECORD);
    equal(
      line.replace(/password=\S+/, "password=*"),
      "WARNING 30 orders orders#1 placed id=7 password=* 100%",
    );
    equal(line.includes("hidden"), false);
  }
});

Deno.test("attributes are padded and cut as Python does", () => {
  const percent = (format: string) => compileFormat(format, { style: "%" })(RECORD);
  equal(
    percent("%(levelname)-9s|%(name)8s|%(name).3s|%(levelno)05d|%(msecs)03d"),
    "WARNING  |  orders|ord|00030|042",
  );
  const braces = (format: string) => compileFormat(format, { style: "{" })(RECORD);
  equal(
    braces("{levelname:<9}|{name:>8}|{name:^8}|{levelno:05}|{{x}}"),
    "WARNING  |  orders| orders |00030|{x}",
  );
});

Deno.test("a time has Python's form, or that of datefmt", () => {
  const time = (datefmt?: string) => compileFormat("%(asctime)s", { style: "%", datefmt })(RECORD);
  match(time(), /^2026-0[12]-\d\d \d\d:\d5:09,042$/);
  equal(time("%Y %%"), "2026 %");
  equal(
    formatTime(RECORD.time, "%a %A %b %d %e %H %I %p %y %F %T %z %Z %q", true),
    "Sat Saturday Jan 31 31 13 01 PM 26 2026-01-31 13:05:09 +0000 UTC %q",
  );
});

Deno.test("what only Python knows of a record is a dash, and can be listed", () => {
  const format = "%(lineno)d %(message)s %(funcName)s";
  match(compileFormat(format, { style: "%" })(RECORD), /^- placed .* -$/);
  deepStrictEqual(unknownAttributes(format, "%"), ["lineno", "funcName"]);
});

Deno.test("the stack of an error stands below its line, and no value forges a line", () => {
  const error = { name: "E", message: "m", stack: "E: m\n    at x" };
  const text = compileFormat("%(message)s", { style: "%" })({ level: "error", message: "a\nb", error });
  equal(text, "a\\nb\n    E: m\n        at x");
});
