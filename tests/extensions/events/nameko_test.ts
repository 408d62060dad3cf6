import assert from "node:assert/strict";
import { amqp } from "../../../extensions/amqp/mod.ts";
import { dispatcher } from "../../../extensions/events/dispatcher.ts";
import { event } from "../../../extensions/events/event.ts";
import { service } from "../../../runtime/service/service.ts";
import { NamekoProcess, namekoTest } from "../../fixtures/nameko.ts";
import { EventStage, Record } from "./event_stage.ts";

/** A Nameko process and a stage of ours on one RabbitMQ. */
async function meeting(uri: string) {
  const stage = new EventStage({
    async transport() {
      const transport = amqp(uri);
      await transport.connect();
      return transport;
    },
    [Symbol.asyncDispose]: () => Promise.resolve(),
  });
  const python = await NamekoProcess.start("events.py", uri, stage.name("x"));
  const ask = async (method: string, ...args: readonly unknown[]) =>
    (await python.call({ service: "", method, args, context: { language: "en", user_id: 7 } })).result;
  return {
    stage,
    ask,
    name: (suffix: string) => stage.name(`x_${suffix}`),
    async [Symbol.asyncDispose]() {
      await python[Symbol.asyncDispose]();
      // Nameko's emitter declares its exchange, which goes with a last binding only if it had one.
      const [sweep, exchange] = [stage.name("sweep"), `${stage.name("x_python")}.events`];
      await (await stage.transport()).declare({
        queues: [{ name: sweep }],
        bindings: [{ queue: sweep, exchange, routingKey: "sweep" }],
      });
      const [source, shared] = [stage.name("x_source"), stage.name("x_shared")];
      stage.declared.push({
        queues: [
          `evt-${source}-pool--${shared}.pool`,
          `evt-${source}-single`,
          `rpc-${stage.name("x_python")}`,
        ]
          .map((name) => ({ name })),
      });
      await stage[Symbol.asyncDispose]();
    },
  };
}

namekoTest("Nameko's handlers of every kind get what a dispatcher of ours emits", async (uri) => {
  await using place = await meeting(uri);
  const { stage, ask, name } = place;
  const ids: string[] = [];
  await stage.serve(service(name("source"), {
    dependencies: { emit: dispatcher() },
    entrypoints: { start: event(name("outside"), "start") },
    handlers: {
      async start({ emit, call }) {
        ids.push(call.id);
        for (const type of ["pool", "single", "broad", "wild.card"]) await emit(type, { type, n: 1.5 });
      },
    },
  }));
  const headers = { "nameko.language": "en", "nameko.user_id": 7, "nameko.call_id_stack": ["web.get.1"] };
  await stage.dispatch(name("outside"), "start", null, { headers });
  const got = [await ask("next"), await ask("next"), await ask("next"), await ask("next")];
  const expected = ["pool", "single", "broad", "wild.card"].map((type) => ({
    handler: type.replace(".card", ""),
    payload: { type, n: 1.5 },
    headers: { language: "en", user_id: 7 },
    stack: ["web.get.1", ids[0]],
  }));
  const byHandler = (a: unknown, b: unknown) => JSON.stringify(a).localeCompare(JSON.stringify(b));
  assert.deepEqual(got.toSorted(byHandler), expected.toSorted(byHandler));
});

namekoTest(
  "a handler of ours gets what Nameko's dispatchers emit, from a worker and from outside",
  async (uri) => {
    await using place = await meeting(uri);
    const { stage, ask, name } = place;
    const handled = new Record<{ payload: unknown; headers: unknown; stack: readonly string[] }>();
    await stage.serve(service(name("handler"), {
      entrypoints: { one: event(name("python"), "some.*") },
      handlers: {
        one: ({ call }, payload) => handled.add({ payload, headers: call.headers, stack: call.stack }),
      },
    }));
    await ask("emit", "some.event", { a: [1, null, "é"] });
    await ask("dispatch", name("python"), "some.other", "plain");
    const [fromWorker, fromOutside] = await handled.reaches(2);
    assert.deepEqual(fromWorker!.payload, { a: [1, null, "é"] });
    assert.deepEqual(fromWorker!.headers, { language: "en", user_id: 7 });
    assert.equal(fromWorker!.stack.length, 3);
    assert.match(fromWorker!.stack[1]!, /_python\.emit\./);
    assert.deepEqual([fromOutside!.payload, fromOutside!.headers], ["plain", {}]);
    assert.equal(fromOutside!.stack.length, 1);
  },
);

namekoTest("an instance of ours shares the queues of Nameko's instance of the same service", async (uri) => {
  await using place = await meeting(uri);
  const { stage, ask, name } = place;
  const handled = new Record<number>();
  const instance = await stage.serve(service(name("shared"), {
    entrypoints: {
      pool: event<number>(name("source"), "pool"),
      single: event<number>(name("source"), "single", { delivery: "singleton" }),
    },
    handlers: {
      pool: (_context, payload) => handled.add(payload),
      single: (_context, payload) => handled.add(payload),
    },
  }));
  const numbers = Array.from({ length: 20 }, (_, index) => index);
  for (const number of numbers) await stage.dispatch(name("source"), number % 2 ? "pool" : "single", number);
  await handled.reaches(10);
  await instance[Symbol.asyncDispose]();
  const theirs: number[] = [];
  while (theirs.length + handled.all.length < numbers.length) {
    theirs.push((await ask("next") as { readonly payload: number }).payload);
  }
  assert.deepEqual([...handled.all, ...theirs].toSorted((a, b) => a - b), numbers);
  assert.ok(theirs.length > 0);
});
