import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import { deadLetterQueueOf, DEATH_HEADERS } from "../../../runtime/hosting/message_fate.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";
import { Inbox } from "../../../runtime/message/conformance/inbox.ts";

/** Lines of the log, which would be noise here. */
const lines: string[] = [];
const heard = new Set<() => void>();
configureLogging({
  write(line) {
    lines.push(line);
    for (const listener of heard) listener();
  },
});

/** Resolves when the log has a line that holds `text`. */
async function logged(text: string): Promise<void> {
  const { promise, resolve } = Promise.withResolvers<void>();
  const listen = () => lines.some((line) => line.includes(text)) && resolve();
  heard.add(listen);
  listen();
  await promise;
  heard.delete(listen);
}

/** Serves modules over memory, with an inbox of what the fixture reports. */
async function serve(modules: readonly string[], concurrency = 1) {
  const broker = new MemoryBroker();
  const transport = memory({ broker });
  await transport.connect();
  const inboxOf = async (queue: string) => {
    await transport.declare({ queues: [{ name: queue }] });
    const inbox = new Inbox();
    inbox.consumer = await transport.consume(queue, inbox.receiver, { prefetch: 10 });
    return inbox;
  };
  const reports = await inboxOf("enoki_test_reports");
  const running = await run(modules.map((module) => new URL(module, import.meta.url)), {
    broker: memory({ broker }),
    threads: { kind: "node", permissions: "all", maxWorkers: 1, concurrency },
  });
  const cluster = await connect({ broker: memory({ broker }) });
  return {
    reports,
    inboxOf,
    cluster,
    transport,
    async [Symbol.asyncDispose]() {
      await cluster.close();
      await running.shutdown();
      await transport.close();
    },
  };
}

for (
  const [type, text, reason] of [
    ["exit", "ends its thread twice", "thread lost"],
    ["spin", "takes too long until its retries are used up", "retries used up"],
  ] as const
) {
  Deno.test(`an event whose handler ${text} is buried, and the service lives on`, async () => {
    await using stage = await serve(["./fatal_service.ts"]);
    const queue = `evt-enoki_test_source-${type}--enoki_test_fatal.${type}`;
    const dead = await stage.inboxOf(deadLetterQueueOf(queue));
    await stage.cluster.dispatch("enoki_test_source", type, "x");
    const { delivery, text, settle } = await dead.next();
    settle("ack");
    assert.equal(text, '"x"');
    assert.equal(delivery.properties.headers?.[DEATH_HEADERS.reason], reason);
    assert.deepEqual(await stage.reports.texts(2), [`${type} x`, `${type} x`]);
    await stage.cluster.dispatch("enoki_test_source", "echo", "still here");
    assert.equal(await stage.reports.text(), "echo still here");
  });
}

Deno.test("events that run beside one that ends their thread are handled all the same", async () => {
  await using stage = await serve(["./fatal_service.ts"], 5);
  const dead = await stage.inboxOf(deadLetterQueueOf("evt-enoki_test_source-exit--enoki_test_fatal.exit"));
  const names = ["a", "b", "c", "d"];
  for (const name of names) await stage.cluster.dispatch("enoki_test_source", "nap", name);
  await stage.cluster.dispatch("enoki_test_source", "exit", "x");
  const wanted = new Set(names.map((name) => `nap ${name}`));
  while (wanted.size > 0) wanted.delete(await stage.reports.text());
  assert.equal((await dead.next()).delivery.properties.headers?.[DEATH_HEADERS.reason], "thread lost");
  const napping = deadLetterQueueOf("evt-enoki_test_source-nap--enoki_test_fatal.nap");
  assert.equal(await stage.transport.countMessages(napping), undefined);
});

Deno.test("Connection.dispatch() to a source that nobody has declared is a BrokerError", async () => {
  await using cluster = await connect({ broker: memory() });
  await assert.rejects(cluster.dispatch("absent", "e", 1), BrokerError);
});

Deno.test("Connection.dispatch() sends what options say, and gives up when its signal aborts", async () => {
  await using stage = await serve(["./fatal_service.ts"]);
  const reason = new Error("changed my mind");
  const aborted = { signal: AbortSignal.abort(reason) };
  await assert.rejects(stage.cluster.dispatch("enoki_test_source", "echo", "x", aborted), reason);
  await assert.rejects(stage.cluster.dispatch("enoki_test_source", "absent", "x", { mandatory: true }), {
    name: "UnroutableError",
  });
});

Deno.test("examples/events: a payload goes from emitter_service to handler_service", async () => {
  const folder = "../../../examples/events";
  await using stage = await serve([`${folder}/emitter_service.ts`, `${folder}/handler_service.ts`]);
  const queue = "evt-emitter_service-some_event--handler_service.handler";
  assert.equal(await stage.transport.countMessages(queue), 0);
  await stage.cluster.client("emitter_service").emit_event!("hello");
  await logged("handler_service received: hello");
});
