import { deepStrictEqual } from "node:assert/strict";
import { configureSync, resetSync } from "@logtape/logtape";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, type RunOptions } from "../../extensions/run.ts";
import { configureLogging, resetLogging } from "../../runtime/log/observe.ts";
import type talkative from "../fixtures/services/talkative.ts";
import { serveInMemory } from "../fixtures/serve_in_memory.ts";

/** Messages of the log, without those of the runtime itself. */
class Talk {
  readonly heard: string[] = [];
  readonly write = (line: string): void => {
    const { service, message } = JSON.parse(line) as { readonly service?: string; readonly message: string };
    if (service === "enoki_test_talkative" && !/^rpc /.test(message)) this.heard.push(message);
  };

  /** Returns what a call was heard to say. */
  async call(records: number, broker: MemoryBroker): Promise<readonly string[]> {
    this.heard.length = 0;
    await using cluster = await connect({ broker: memory({ broker }) });
    await cluster.client<typeof talkative>("enoki_test_talkative").talk(records);
    return [...this.heard];
  }
}

/** Serves under a log of one level, which may hold few records in a second. */
async function withTalk(
  options: RunOptions,
  use: (talk: Talk, call: (records: number) => Promise<readonly string[]>) => Promise<void>,
  level?: string,
): Promise<void> {
  const talk = new Talk();
  configureLogging({ ...(level !== undefined && { level }), format: "json", write: talk.write });
  try {
    const broker = new MemoryBroker();
    await using _running = await serveInMemory(broker, ["talkative.ts"], {
      threads: { logLimit: 5 },
      ...options,
    });
    await use(talk, (records) => talk.call(records, broker));
  } finally {
    resetLogging();
  }
}

Deno.test("run() makes threads post no records below the level of configureLogging()", () =>
  withTalk({}, async (_talk, call) => {
    deepStrictEqual(await call(100), ["the end"]);
  }, "warning"));

Deno.test("run() takes the level of the log as an option", () =>
  withTalk({ logLevel: "debug" }, async (_talk, call) => {
    deepStrictEqual(await call(2), ["a detail", "a fact", "a detail", "a fact", "the end"]);
  }));

Deno.test("run() tells threads a level that is changed while they run, before their next call", () =>
  withTalk({}, async ({ write }, call) => {
    deepStrictEqual(await call(1), ["the end"]);
    configureLogging({ level: "debug", format: "json", write });
    deepStrictEqual(await call(1), ["a detail", "a fact", "the end"]);
    configureLogging({ level: "error", format: "json", write });
    deepStrictEqual(await call(100), []);
  }, "warning"));

Deno.test("run() makes threads heed the level that the program gives to one service in LogTape", async () => {
  const heard: string[] = [];
  configureSync({
    sinks: { heard: ({ rawMessage }) => heard.push(String(rawMessage)) },
    loggers: [
      { category: ["enoki", "enoki_test_talkative"], sinks: ["heard"], lowestLevel: "info" },
      { category: ["logtape", "meta"], lowestLevel: "error" },
    ],
  });
  try {
    const broker = new MemoryBroker();
    await using _running = await serveInMemory(broker, ["talkative.ts"], { threads: { logLimit: 3 } });
    await new Talk().call(2, broker);
    deepStrictEqual(heard, ["a fact", "a fact", "the end"]);
  } finally {
    resetSync();
  }
});
