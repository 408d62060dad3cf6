/** What a thread can do to the main thread by what it posts. */
import assert from "node:assert/strict";
import { createLog, type LogRecord } from "../../../runtime/log/log.ts";
import type { Request } from "../../../runtime/message/messenger.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import { Pool } from "../../../runtime/pool/pool.ts";
import type { PoolLimits } from "../../../runtime/pool/pool_options.ts";
import { type Play, PlayedThreads } from "../../fixtures/played_threads.ts";

interface Stage extends AsyncDisposable {
  readonly pool: Pool;
  readonly records: LogRecord[];
  readonly sent: unknown[];
}

const CALL = { entrypoint: 0, body: "", contentType: undefined, headers: undefined };

async function stageOf(play: Play, options: Partial<PoolLimits> = {}): Promise<Stage> {
  const records: LogRecord[] = [];
  const sent: unknown[] = [];
  const onLog = (record: LogRecord) => void records.push(record);
  const pool = new Pool({
    ...options,
    maxWorkers: 1,
    service: "played",
    spawner: new PlayedThreads(play),
    messenger: {
      request: (request: Request) => Promise.resolve(String(sent.push(request))),
      publish: (message: Message) => Promise.resolve(void sent.push(message)),
    },
    callTimeout: 1_000,
    parentCallsTracked: 10,
    onLog,
    log: createLog({ emit: onLog }),
  });
  await pool.start();
  return { pool, records, sent, [Symbol.asyncDispose]: () => pool.shutdown() };
}

/** A list that contains itself. */
const CYCLE: unknown[] = [];
CYCLE.push(CYCLE);

/** A list that is nested so deep that no recursion gets to its end. */
function deep(levels: number): unknown {
  let value: unknown = 1;
  while (levels-- > 0) value = [value];
  return value;
}

const FAILURE = { name: "E", message: "m", code: "C", retryable: false };

const RECORD = { level: "info", message: "m" };

/** Number of the message that a played thread sends after it has become ready. */
const NEXT = 2;

/** Messages that no honest thread sends, by what is wrong with them. */
const MALFORMED: Readonly<Record<string, (slot: number) => unknown>> = {
  "null": () => null,
  "a text": () => "done",
  "a list": () => ["done"],
  "no type": () => ({}),
  "an unknown type": () => ({ type: "nonsense" }),
  "a type that is an object": () => ({ type: { toString: 1 } }),
  "done for a slot that is not in use": (slot) => ({ type: "done", slot: slot - 1, body: "", elapsed: 1 }),
  "done for a slot that is a text": (slot) => ({ type: "done", slot: String(slot), body: "", elapsed: 1 }),
  "done for a slot that is a method": () => ({ type: "done", slot: "push", body: "", elapsed: 1 }),
  "done with a body of another type": (slot) => ({ type: "done", slot, body: { a: 1 }, elapsed: 1 }),
  "done in no time": (slot) => ({ type: "done", slot, body: "" }),
  "done after NaN": (slot) => ({ type: "done", slot, body: "", elapsed: NaN }),
  "done with a head of another type": (slot) => ({ type: "done", slot, body: "", elapsed: 1, head: 7 }),
  "failed without a failure": (slot) => ({ type: "failed", slot, expected: false }),
  "failed with a name that is no text": (slot) => ({
    type: "failed",
    slot,
    failure: { ...FAILURE, name: { toString: 1 } },
    expected: false,
  }),
  "failed with a name of a thousand letters": (slot) => ({
    type: "failed",
    slot,
    failure: { ...FAILURE, name: "E".repeat(1_000) },
    expected: false,
    elapsed: 1,
  }),
  "done with a head that is too large": (slot) => ({
    type: "done",
    slot,
    body: "",
    elapsed: 1,
    head: { text: "x".repeat(65 * 1_048_576) },
  }),
  "failed for no slot": () => ({ type: "failed", failure: FAILURE, expected: false }),
  "a chunk for no slot": () => ({ type: "chunk", chunk: "" }),
  "a chunk that is no chunk": (slot) => ({ type: "chunk", slot, chunk: 1 }),
  "opened without a head": (slot) => ({ type: "opened", slot }),
  "skipped for a running call": (slot) => ({ type: "skipped", slot }),
  "skipped for a slot that is not in use": (slot) => ({ type: "skipped", slot: slot - 1 }),
  "a request without an id": () => ({ type: "request", request: {}, timeout: 1 }),
  "a publication with an object as its id": () => ({ type: "publish", id: {}, message: {} }),
  "a log without a record": () => ({ type: "log" }),
  "a record with an unknown level": () => ({ type: "log", record: { ...RECORD, level: "fatal" } }),
  "a record with an object as its message": () => ({ type: "log", record: { ...RECORD, message: {} } }),
  "a record of no possible time": () => ({ type: "log", record: { ...RECORD, time: 9e15 } }),
  "a record with a text as its properties": () => ({ type: "log", record: { ...RECORD, properties: "p" } }),
  "a record that contains itself": () => ({ type: "log", record: { ...RECORD, properties: { CYCLE } } }),
  "a record with a big integer": () => ({ type: "log", record: { ...RECORD, properties: { big: 1n } } }),
  "a record that is deep": () => ({ type: "log", record: { ...RECORD, properties: { deep: deep(500) } } }),
  "services that are none": () => ({ type: "loaded", services: 1 }),
  "a service without a manifest": () => ({ type: "loaded", services: [{ exportName: "default" }] }),
  "a heap above a limit that there is not": () => ({ type: "heap", used: 1e9 }),
  "a heap that is no size": () => ({ type: "heap", used: "1e9" }),
  "parameters that are none": () => ({ type: "ready", parameters: null }),
  "an exit with an object as its code": () => ({ type: "exiting", code: { toString: 1 } }),
};

async function assertLost(play: Play, reason: RegExp): Promise<void> {
  await using stage = await stageOf(play);
  const { pool, records } = stage;
  const outcome = await pool.run(CALL);
  assert.equal(outcome.status === "failed" && outcome.failure.code, "WORKER_LOST");
  assert.match(records.find(({ message }) => message.startsWith("Lost thread"))!.message, reason);
  assert.deepEqual(await pool.run(CALL), { status: "done", body: "answered" });
}

for (const [what, message] of Object.entries(MALFORMED)) {
  Deno.test(`a thread that sends ${what} is ended, and nothing else`, async () => {
    await assertLost((_port, slot, { port }) => port.postMessage([NEXT, message(slot)]), /out of form/);
  });
}

/** What no honest thread posts to the port itself. */
const UNNUMBERED: Readonly<Record<string, unknown>> = {
  "null": null,
  "a message without a number": { type: "pong" },
  "a number without a message": [1],
  "a number that is a text": ["1", { type: "pong" }],
  "a number that comes much later": [100_000, { type: "pong" }],
};

for (const [what, posted] of Object.entries(UNNUMBERED)) {
  Deno.test(`a thread that posts ${what} is ended, and nothing else`, async () => {
    await assertLost((_port, _slot, { port }) => port.postMessage(posted), /is no message|have a gap/);
  });
}

Deno.test("a thread whose message cannot be read is ended, and nothing else", async () => {
  await assertLost((port, slot) => {
    port.postMessage({ type: "done", slot, elapsed: 1, body: undefined, head: deep(3_000) } as never);
  }, /out of form|cannot be read/);
});

Deno.test("a thread that breaks the counters of its ring is ended, and nothing else", async () => {
  await assertLost((_port, _slot, { port, toHost }) => {
    new Int32Array(toHost).fill(0x7ffffff1);
    port.postMessage(0);
  }, /cannot be read: Cannot read the ring/);
});

/** Where the length of the body of a ring's first record from a thread stands, in words. */
const LENGTH_OF_BODY = (64 + 16 + 3 * 8) / 4;

Deno.test("a thread that writes a record of another form to its ring is ended, and nothing else", async () => {
  await assertLost((port, slot, { toHost }) => {
    port.postMessage({ type: "done", slot, elapsed: 1, body: "5" });
    const words = new Int32Array(toHost);
    assert.equal(words[LENGTH_OF_BODY], 1);
    words[LENGTH_OF_BODY] = 3;
  }, /cannot be read: Cannot read a message/);
});

Deno.test("a thread that exits with a text as its code is ended for a reason that is not longer for it", async () => {
  await using stage = await stageOf((port) => {
    port.postMessage({ type: "exiting", code: "1".repeat(100_000) as never });
  });
  const outcome = await stage.pool.run(CALL);
  const message = outcome.status === "failed" ? outcome.failure.message : "";
  assert.match(message, /Deno\.exit\(1+\)$/);
  assert.ok(message.length < 200);
});

Deno.test("a request with wrong fields is refused, and its thread goes on", async () => {
  const headers = { CYCLE };
  const refusals: string[] = [];
  await using stage = await stageOf((port, slot) => {
    port.onmessage = ({ data }) => {
      if (data.type === "refusal") refusals.push(data.failure.message);
      if (refusals.length === 4) port.postMessage({ type: "done", slot, body: "refused", elapsed: 1 });
    };
    const request = { service: "s", method: "m", body: "", headers: {} };
    const requests = [{ ...request, service: 1 }, { ...request, headers }];
    for (const [id, each] of requests.entries()) {
      port.postMessage({ type: "request", id, request: each as never, timeout: 1_000 });
    }
    const message = { exchange: "", routingKey: "", body: "", properties: { expiration: {} } };
    port.postMessage({ type: "publish", id: 2, message: message as never });
    const large = { ...message, properties: { type: "x".repeat(65 * 1_048_576) } };
    port.postMessage({ type: "publish", id: 3, message: large as never });
  });
  assert.deepEqual(await stage.pool.run(CALL), { status: "done", body: "refused" });
  assert.match(refusals[0]!, /its service or its method is no text/);
  assert.match(refusals[1]!, /its headers are nested too deep, or contain themselves/);
  assert.match(refusals[2]!, /its property "expiration" is neither text nor number/);
  assert.match(refusals[3]!, /its properties are too large/);
  assert.deepEqual(stage.sent, []);
});

Deno.test("a record names the service and the thread that it comes from, whatever it says itself", async () => {
  await using stage = await stageOf((port, slot) => {
    const forged = { level: "info", message: "forged", service: "other", thread: "other#1" } as const;
    port.postMessage({ type: "log", record: forged });
    port.postMessage({ type: "done", slot, body: "", elapsed: 1 });
  });
  await stage.pool.run(CALL);
  assert.deepEqual(stage.records, [
    { level: "info", message: "forged", service: "played", thread: "played#1" },
  ]);
});

Deno.test("a thread logs only so many records in a second, and the log says how many it left out", async () => {
  await using stage = await stageOf((port, slot) => {
    for (let number = 0; number < 5_000; number++) {
      port.postMessage({ type: "log", record: { level: "info", message: String(number) } });
    }
    port.postMessage({ type: "done", slot, body: "", elapsed: 1 });
  }, { logLimit: 100 });
  await stage.pool.run(CALL);
  await stage.pool.shutdown();
  const logged = stage.records.filter(({ level }) => level === "info").length;
  const told = stage.records.filter(({ level }) => level === "warning");
  const counts = told.map(({ message }) =>
    Number(/^Left out ([\d,]+) log/.exec(message)![1]!.replaceAll(",", ""))
  );
  assert.equal(logged + counts.reduce((sum, count) => sum + count, 0), 5_000);
  assert.ok(logged >= 100 && logged <= 1_000, `logged ${logged} records`);
});

Deno.test("a record of more than a mebibyte is left out", async () => {
  await using stage = await stageOf((port, slot) => {
    port.postMessage({ type: "log", record: { level: "info", message: "x".repeat(1_100_000) } });
    const sparse: unknown[] = [];
    sparse.length = 4_000_000_000;
    port.postMessage({ type: "log", record: { level: "info", message: "m", properties: { sparse } } });
    port.postMessage({ type: "done", slot, body: "answered", elapsed: 1 });
  });
  assert.deepEqual(await stage.pool.run(CALL), { status: "done", body: "answered" });
  await stage.pool.shutdown();
  assert.deepEqual(stage.records.map(({ message }) => message.slice(0, 10)), ["Left out 2"]);
});

Deno.test("a call that cannot be cloned fails, and the next one runs", async () => {
  await using stage = await stageOf((port, slot) => {
    port.postMessage({ type: "done", slot, body: "answered", elapsed: 1 });
  });
  const headers = { h: () => 1 } as never;
  const calls = Array.from({ length: 100 }, () => stage.pool.run({ ...CALL, headers }));
  for (const outcome of await Promise.all(calls)) {
    assert.equal(outcome.status === "failed" && outcome.failure.name, "DataCloneError");
  }
  assert.deepEqual(await stage.pool.run(CALL), { status: "done", body: "answered" });
});

Deno.test("a thread that gives no sign of life is ended in time, though its call may take long", async () => {
  await using stage = await stageOf(() => {}, { stallTimeout: 200 });
  const outcome = await stage.pool.run({ ...CALL, timeout: 30_000 });
  assert.match(String(outcome.status === "failed" && outcome.failure.message), /it gave no sign of life/);
});
