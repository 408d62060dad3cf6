import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { configureSync, type LogRecord as TapeRecord, resetSync } from "@logtape/logtape";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import {
  configureLogging,
  type ConfigureLoggingOptions,
  emitRecord,
  ensureLogging,
  getLog,
  logThreshold,
  parseLogLevel,
  resetLogging,
} from "../../../runtime/log/observe.ts";
import { formatPrettyLine } from "../../../runtime/log/log_line.ts";

function linesOf(use: () => void, options: ConfigureLoggingOptions = {}): string[] {
  const lines: string[] = [];
  strictEqual(configureLogging({ ...options, write: (line) => lines.push(line) }), true);
  try {
    use();
  } finally {
    resetLogging();
  }
  return lines;
}

function recordsOf(use: (log: ReturnType<typeof createLog>) => void): LogRecord[] {
  const records: LogRecord[] = [];
  use(createLog({ emit: (record) => records.push(structuredClone(record)), service: "orders" }));
  return records;
}

Deno.test("configureLogging() writes one pretty line for a record", () => {
  const [line] = linesOf(() => getLog("orders").info("placed {id}", { id: 5, note: "two words", list: [1] }));
  match(line!, /^\d\d:\d\d:\d\d\.\d{3} info {4}orders placed \{id\} id=5 note="two words" list=\[1\]$/);
});

Deno.test("configureLogging() writes a JSON object for a record", () => {
  const record = {
    level: "error",
    service: "orders",
    message: "a\nb",
    time: 0,
    properties: { n: 1 },
  } as const;
  const error = { name: "E", message: "m", stack: "E: m" };
  const [line] = linesOf(() => emitRecord({ ...record, error }), { format: "json" });
  deepStrictEqual(JSON.parse(line!), { ...record, time: "1970-01-01T00:00:00.000Z", error });
});

Deno.test("configureLogging() drops what is less severe than the level", () => {
  const use = () => {
    for (const level of ["debug", "info", "warning", "error"] as const) getLog()[level](level);
  };
  strictEqual(linesOf(use).length, 3);
  strictEqual(linesOf(use, { level: "WARN" }).length, 2);
  strictEqual(linesOf(use, { level: "Debug" }).length, 4);
});

Deno.test("configureLogging() lets no value break a line", () => {
  const forged = "x\r\n12:00 error \x1b[31m\u2028\x85";
  for (const format of ["pretty", "json"] as const) {
    const [line] = linesOf(() => getLog("s\n").info(forged, { [forged]: forged, deep: [forged] }), {
      format,
    });
    // deno-lint-ignore no-control-regex -- these are the characters that must not be there
    strictEqual(/[\r\n\x1b]/.test(line!), false);
  }
});

Deno.test("configureLogging() masks passwords and secrets everywhere", () => {
  const uri = 'amqp://u:s3"cret@host';
  const use = () =>
    getLog().error(uri, { uri, in: { uri: [uri] }, password: "s3cret", error: new Error(uri) });
  for (const format of ["pretty", "json"] as const) {
    const [line] = linesOf(use, { format });
    strictEqual(/s3|cret@/.test(line!), false);
    match(line!, /amqp:\/\/u:\*{8}@host/);
  }
});

Deno.test("configureLogging() refuses a level or format that does not exist", () => {
  const message =
    'Cannot use log level "loud": there is no such level. Choose one of debug, info, warning, error';
  throws(() => configureLogging({ level: "loud" }), { name: "ConfigurationError", message });
  throws(() => configureLogging({ format: "xml" as "json" }), /^ConfigurationError: .*pretty or json/);
});

Deno.test("configureLogging() leaves a program's own LogTape configuration alone", () => {
  const seen: TapeRecord[] = [];
  const loggers = [{ category: "enoki", sinks: ["mine"] }, {
    category: ["logtape", "meta"],
    sinks: ["mine"],
  }];
  configureSync({ sinks: { mine: (record) => void seen.push(record) }, loggers });
  try {
    ensureLogging();
    strictEqual(configureLogging({ write: () => {} }), false);
    resetLogging();
    seen.length = 0;
    getLog("orders").debug("a {b}", { b: 1 });
    deepStrictEqual(seen.map(({ category, message }) => [category, message]), [[["enoki", "orders"], [
      "a {b}",
    ]]]);
  } finally {
    resetSync();
  }
});

Deno.test("ensureLogging() keeps an earlier configuration", () => {
  const lines = linesOf(() => {
    ensureLogging();
    getLog().error("kept");
  });
  strictEqual(lines.length, 1);
});

Deno.test("parseLogLevel() takes names in any case, and warn", () => {
  deepStrictEqual(["Warn", "WARNING", "info"].map(parseLogLevel), ["warning", "warning", "info"]);
});

Deno.test("formatPrettyLine() indents the stack below the line", () => {
  const error = { name: "E", message: "m", stack: "E: m\n    at f (x.ts:1:2)\nCaused by: F" };
  const [, ...stack] = formatPrettyLine({ level: "error", message: "failed", error }, false).split("\n");
  deepStrictEqual(stack, ["    E: m", "        at f (x.ts:1:2)", "    Caused by: F"]);
});

Deno.test("formatPrettyLine() colours when it is told to", () => {
  const record = { level: "error", message: "m", time: 0 } as const;
  strictEqual(formatPrettyLine(record, true).includes("\x1b[31merror"), true);
  strictEqual(formatPrettyLine(record, false).includes("\x1b"), false);
});

Deno.test("createLog() makes records of plain data from any properties", () => {
  class Point {
    x = 1;
  }
  const loop: Record<string, unknown> = {};
  loop["self"] = loop;
  const broken = {
    get a(): never {
      throw new Error("no");
    },
  };
  const [record] = recordsOf((log) =>
    log.info("m", {
      f: () => 0,
      big: 1n,
      at: new Date(0),
      point: new Point(),
      map: new Map([[1, 2]]),
      loop,
      broken,
    })
  );
  deepStrictEqual(record!.properties, {
    f: "[function f]",
    big: "1",
    at: "1970-01-01T00:00:00.000Z",
    point: { x: 1 },
    map: [[1, 2]],
    loop: { self: "[circular]" },
    broken: "[unreadable]",
  });
});

Deno.test("createLog() carries an error with its causes", () => {
  const error = new TypeError("outer", { cause: new RangeError("inner") });
  const [record] = recordsOf((log) => log.error("failed", { error }));
  strictEqual(record!.error!.name, "TypeError");
  match(record!.error!.stack!, /TypeError: outer[^]*\nCaused by: RangeError: inner/);
  deepStrictEqual(record!.properties, {});
});

Deno.test("createLog() makes no records below its level", () => {
  const records: LogRecord[] = [];
  const log = createLog({ emit: (record) => records.push(record), threshold: () => "warning" });
  log.info("m");
  log.warning("m");
  strictEqual(records.length, 1);
});

Deno.test("logThreshold() is the level of the present configuration, or none without one", () => {
  strictEqual(logThreshold("orders"), "none");
  linesOf(() => strictEqual(logThreshold("orders"), "info"));
  linesOf(() => strictEqual(logThreshold("orders"), "error"), { level: "error" });
  strictEqual(logThreshold("orders"), "none");
});

Deno.test("logThreshold() heeds the category of a service", () => {
  configureSync({
    sinks: { nowhere: () => {} },
    loggers: [
      { category: "enoki", sinks: ["nowhere"], lowestLevel: "fatal" },
      { category: ["enoki", "orders"], sinks: ["nowhere"], lowestLevel: "trace" },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  try {
    deepStrictEqual([logThreshold("orders"), logThreshold("payments")], ["debug", "none"]);
  } finally {
    resetSync();
  }
});

Deno.test("ensureLogging() changes the level and nothing else of what configureLogging() did", () => {
  const lines = linesOf(() => {
    ensureLogging("error");
    getLog().warning("m");
    getLog().error("m");
  }, { format: "json" });
  deepStrictEqual(lines.map((line) => JSON.parse(line).level), ["error"]);
});
