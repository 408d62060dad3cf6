import assert from "node:assert/strict";
import { ControlClient, type ControlRequest } from "../../../extensions/control/control_client.ts";
import type { ControlResponder } from "../../../extensions/control/host.ts";
import { type LogNews, tailLog, type TailOptions, tellLog } from "../../../extensions/control/log_tail.ts";
import { connect } from "../../../extensions/run.ts";
import type { LogRecord } from "../../../runtime/log/log.ts";
import { getLog, isLogged } from "../../../runtime/log/observe.ts";
import { BROKERS, isMissing } from "../../fixtures/brokers.ts";
import { linesOfServing, openHost, withServing } from "./stage.ts";

const TRACE = "0af7651916cd43dd8448eb211c80319c";

/** Follows the log of this process, makes records, and returns what has come once the last of them is there. */
async function followed(
  make: () => void,
  { kind = "memory", manage = false, ...options }: Partial<TailOptions> & {
    readonly kind?: string;
    readonly manage?: boolean;
  } = {},
): Promise<{ readonly records: readonly LogRecord[]; readonly news: readonly LogNews[] }> {
  await using broker = await BROKERS[kind]!();
  await using serving = await broker.transport();
  await using asking = await broker.transport();
  const service = crypto.randomUUID();
  const tail: ControlResponder = {
    lasting: true,
    respond: ({ services: _, ...request }, signal) =>
      tellLog({ ...request, ...(options.services && { services: options.services }) } as ControlRequest, {
        manage,
        signal,
      }),
  };
  await using _host = await openHost(serving, {
    responders: new Map([["tail", tail]]),
    services: () => [service],
  });
  await using client = new ControlClient(asking);
  const stop = new AbortController();
  const news: LogNews[] = [];
  for await (const each of tailLog(client, { ...options, services: [service], signal: stop.signal })) {
    news.push(each);
    if (each.begins !== undefined) {
      make();
      getLog(options.services?.[0]).error("the last", {}, { trace: TRACE });
    }
    if (each.records.some(({ message }) => message === "the last") || each.left > 0) stop.abort();
  }
  return { news, records: news.flatMap(({ records }) => records) };
}

function makeOne(): void {
  getLog("orders").debug("a detail");
  getLog("orders").info("paid to postgres://me:hidden@db", {
    sku: 7,
    password: "hidden",
    arguments: ["hidden"],
    error: new TypeError("hidden, too"),
  }, { trace: TRACE, method: "place" });
}

for (const kind of Object.keys(BROKERS)) {
  Deno.test({
    name: `tailLog() tells message, level, fields and the error's name, without secrets (${kind})`,
    ignore: isMissing(kind),
    async fn() {
      const { records: [paid, last, ...others], news } = await followed(makeOne, { kind, level: "debug" });
      assert.deepEqual(others, []);
      assert.deepEqual(news[0]!.begins, { shown: "info", raised: false });
      const { time, ...rest } = paid!;
      assert.ok(Math.abs(Date.now() - time!) < 3_600_000);
      assert.deepEqual(rest, {
        level: "info",
        service: "orders",
        message: "paid to postgres://me:********@db",
        fields: { trace: TRACE, method: "place" },
        error: { name: "TypeError", message: "", stack: "TypeError" },
      });
      assert.equal(last!.message, "the last");
    },
  });
}

Deno.test("tailLog() tells properties and lower levels where the operator allows it, but no arguments", async () => {
  const { records: [detail, paid], news } = await followed(makeOne, { manage: true, level: "debug" });
  assert.deepEqual(news[0]!.begins, { shown: "info", raised: true });
  assert.deepEqual([detail!.level, detail!.message], ["debug", "a detail"]);
  assert.deepEqual(paid!.properties, { sku: 7, password: "********" });
  assert.match(paid!.error!.stack!, /^TypeError: hidden, too\n +at makeOne/);
  assert.equal(isLogged("debug"), false);
});

Deno.test("tailLog() tells only the records of the services, of the trace and of the level that it is asked for", async () => {
  const make = () => {
    getLog().error("of the process");
    getLog("orders").error("of another service");
    getLog("stock").warning("a warning", {}, { trace: TRACE });
    getLog("stock").error("of no trace");
    getLog("stock").error("of another trace", {}, { trace: "f".repeat(32) });
    getLog("stock").error("meant", {}, { trace: TRACE });
  };
  const { records } = await followed(make, { services: ["stock"], trace: TRACE.slice(0, 6), level: "error" });
  assert.deepEqual(records.map(({ message }) => message), ["meant", "the last"]);
});

Deno.test("tailLog() leaves out what is too much in a second, and says how much", async () => {
  const { records, news } = await followed(() => {
    for (let record = 0; record < 2_000; record++) getLog("orders").info("again");
  });
  assert.equal(records.length, 500);
  assert.ok(news.reduce((sum, { left }) => sum + left, 0) > 0);
});

Deno.test("A process sends what its threads log below its level while somebody follows, and not afterwards", () =>
  withServing(["talkative.ts"], async (transport, broker) => {
    await using cluster = await connect({ broker });
    const talk = cluster.method("enoki_test_talkative", "talk");
    await using client = new ControlClient(transport);
    const stop = new AbortController();
    const details: LogRecord[] = [];
    for await (const { begins, records } of tailLog(client, { level: "debug", signal: stop.signal })) {
      if (begins !== undefined) await talk(1);
      details.push(...records.filter(({ message }) => message === "a detail"));
      if (details.length > 0) stop.abort();
    }
    assert.equal(details[0]!.service, "enoki_test_talkative");
    while (isLogged("debug")) await talk(0);
    assert.equal(linesOfServing().some((line) => line.includes("a detail")), false);
  }, { config: { control: { manage: true } } }));
