import { deepStrictEqual, strictEqual } from "node:assert/strict";
import type { LogLevel, LogRecord } from "../../../runtime/log/log.ts";
import {
  configureLogging,
  getLog,
  isLogged,
  logThreshold,
  observeRecords,
  resetLogging,
} from "../../../runtime/log/observe.ts";

const LEVELS = ["debug", "info", "warning", "error"] as const;

/** What a listener gets, and what the log shows, of one record of each level. */
function observed(shown: LogLevel, level?: LogLevel) {
  const records: LogRecord[] = [];
  const lines: string[] = [];
  configureLogging({ level: shown, format: "json", write: (line) => lines.push(JSON.parse(line).level) });
  const end = observeRecords((record) => records.push(record), level);
  try {
    for (const each of LEVELS) getLog("orders")[each]("said");
    return { told: records.map((record) => record.level), lines, threshold: logThreshold("orders") };
  } finally {
    end();
    resetLogging();
  }
}

Deno.test("a listener gets what the log shows, unless it names a level", () => {
  deepStrictEqual(observed("warning"), {
    told: ["warning", "error"],
    lines: ["warning", "error"],
    threshold: "warning",
  });
});

Deno.test("a listener gets what the log does not show, and the log stays as it is", () => {
  deepStrictEqual(observed("error", "info"), {
    told: ["info", "warning", "error"],
    lines: ["error"],
    threshold: "info",
  });
});

Deno.test("a listener gets no more than it asks for", () => {
  deepStrictEqual(observed("debug", "error"), { told: ["error"], lines: [...LEVELS], threshold: "debug" });
});

Deno.test("nothing is left of a listener that has gone", () => {
  const records: LogRecord[] = [];
  configureLogging({ level: "error", write: () => {} });
  const end = observeRecords((record) => records.push(record), "debug");
  strictEqual(isLogged("debug"), true);
  end();
  deepStrictEqual([isLogged("debug"), logThreshold("orders")], [false, "error"]);
  getLog().error("unheard");
  resetLogging();
  deepStrictEqual(records, []);
});
