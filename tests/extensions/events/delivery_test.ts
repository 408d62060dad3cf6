import assert from "node:assert/strict";
import { z } from "zod";
import { dispatcher } from "../../../extensions/events/dispatcher.ts";
import { event, type EventOptions } from "../../../extensions/events/event.ts";
import { BrokerError } from "../../../runtime/message/errors.ts";
import { service } from "../../../runtime/service/service.ts";
import { eventTest } from "./event_brokers.ts";
import { Record } from "./event_stage.ts";

/** A service with two methods that handle one event of `source`. */
function listener(name: string, source: string, handled: Record<string>, options: EventOptions = {}) {
  return service(name, {
    entrypoints: { one: event<number>(source, "e", options), two: event<number>(source, "e", options) },
    handlers: {
      one: (_context, payload) => handled.add(`${name}.one ${payload}`),
      two: (_context, payload) => handled.add(`${name}.two ${payload}`),
    },
  });
}

const NUMBERS = Array.from({ length: 12 }, (_, index) => index);

eventTest("a pool event goes to one instance of each method of each service", async (stage) => {
  const source = stage.name("source");
  const handled = new Record<string>();
  const [a, b] = ["a", "b"].map((name) => listener(stage.name(name), source, handled));
  const instances = [await stage.serve(a!), await stage.serve(a!), await stage.serve(b!)];
  await Promise.all(NUMBERS.map((number) => stage.dispatch(source, "e", number)));
  await handled.reaches(4 * NUMBERS.length);
  for (const instance of instances) await instance[Symbol.asyncDispose]();
  const expected = [a!, b!].flatMap(({ name }) =>
    ["one", "two"].flatMap((method) => NUMBERS.map((number) => `${name}.${method} ${number}`))
  );
  assert.deepEqual(handled.all.toSorted(), expected.toSorted());
});

eventTest("a singleton event goes to one handler of the whole cluster", async (stage) => {
  const source = stage.name("source");
  const handled = new Record<string>();
  const [a, b] = ["a", "b"].map((name) =>
    listener(stage.name(name), source, handled, { delivery: "singleton" })
  );
  const instances = [await stage.serve(a!), await stage.serve(a!), await stage.serve(b!)];
  await Promise.all(NUMBERS.map((number) => stage.dispatch(source, "e", number)));
  await handled.reaches(NUMBERS.length);
  for (const instance of instances) await instance[Symbol.asyncDispose]();
  const numbers = handled.all.map((text) => Number(text.split(" ")[1]));
  assert.deepEqual(numbers.toSorted((x, y) => x - y), NUMBERS);
});

eventTest("a broadcast event goes to every instance", async (stage) => {
  const source = stage.name("source");
  const records = [new Record<string>(), new Record<string>()];
  const name = stage.name("a");
  const instances = [];
  for (const handled of records) {
    instances.push(await stage.serve(listener(name, source, handled, { delivery: "broadcast" })));
  }
  await Promise.all(NUMBERS.map((number) => stage.dispatch(source, "e", number)));
  for (const handled of records) await handled.reaches(2 * NUMBERS.length);
  for (const instance of instances) await instance[Symbol.asyncDispose]();
  const expected = ["one", "two"].flatMap((method) => NUMBERS.map((number) => `${name}.${method} ${number}`));
  for (const handled of records) assert.deepEqual(handled.all.toSorted(), expected.toSorted());
});

for (
  const options of [{}, { delivery: "singleton" }, {
    delivery: "broadcast",
    reliable: true,
    broadcastId: "here",
  }] as const satisfies readonly EventOptions[]
) {
  const delivery = "delivery" in options ? options.delivery : "pool";
  eventTest(`a reliable ${delivery} event waits for its handler`, async (stage) => {
    const source = stage.name("source");
    const handled = new Record<number>();
    const served = service(stage.name("a"), {
      entrypoints: { one: event<number>(source, "e", options) },
      handlers: { one: (_context, payload) => handled.add(payload) },
    });
    await (await stage.serve(served))[Symbol.asyncDispose]();
    await stage.dispatch(source, "e", 1);
    assert.deepEqual(handled.all, []);
    await stage.serve(served);
    assert.deepEqual(await handled.reaches(1), [1]);
  });
}

for (const delivery of ["pool", "singleton", "broadcast"] as const) {
  eventTest(`an unreliable ${delivery} event is dropped while nobody handles it`, async (stage) => {
    const source = stage.name("source");
    const handled = new Record<number>();
    const served = service(stage.name("a"), {
      entrypoints: { one: event<number>(source, "e", { delivery, reliable: false }) },
      handlers: { one: (_context, payload) => handled.add(payload) },
    });
    const keeper = service(stage.name("keeper"), {
      entrypoints: { one: event(source, "other") },
      handlers: { one() {} },
    });
    // Keeps the exchange alive, which goes with its last binding here.
    await stage.serve(keeper);
    await (await stage.serve(served))[Symbol.asyncDispose]();
    await stage.dispatch(source, "e", 1);
    await stage.serve(served);
    await stage.dispatch(source, "e", 2);
    assert.deepEqual(await handled.reaches(1), [2]);
  });
}

eventTest("a pattern as type gets the events that fit it", async (stage) => {
  const source = stage.name("source");
  const handled = new Record<string>();
  await stage.serve(service(stage.name("a"), {
    entrypoints: {
      star: event<number>(source, "order.*"),
      hash: event<number>(source, "#"),
      tail: event<number>(source, "order.#"),
    },
    handlers: {
      star: (_context, payload) => handled.add(`star ${payload}`),
      hash: (_context, payload) => handled.add(`hash ${payload}`),
      tail: (_context, payload) => handled.add(`tail ${payload}`),
    },
  }));
  for (const [index, type] of ["order.placed", "order.placed.late", "other"].entries()) {
    await stage.dispatch(source, type, index);
  }
  const expected = ["hash 0", "hash 1", "hash 2", "star 0", "tail 0", "tail 1"];
  assert.deepEqual((await handled.reaches(6)).toSorted(), expected);
});

eventTest("call id stack and context data pass from the emitter's caller to the handler", async (stage) => {
  const [outside, emitter] = [stage.name("outside"), stage.name("emitter")];
  const handled = new Record<unknown>();
  await stage.serve(service(stage.name("handler"), {
    entrypoints: { one: event(emitter, "placed") },
    handlers: {
      one: ({ call }, payload) =>
        handled.add({ payload, stack: call.stack, headers: call.headers, deadline: call.deadline }),
    },
  }));
  await stage.serve(service(emitter, {
    dependencies: { emit: dispatcher<{ placed: { id: number } }>({ headers: { h: "v" } }) },
    entrypoints: { start: event(outside, "start") },
    handlers: {
      async start({ emit, call }) {
        handled.add(call.id);
        await emit("placed", { id: 7 });
      },
    },
  }));
  await stage.dispatch(outside, "start", null, {
    headers: {
      "nameko.language": "en",
      "nameko.user_id": 7,
      "nameko.call_id_stack": ["web.get.1"],
      "nameko.enoki_deadline": String(Date.now() - 1_000),
    },
  });
  const [emitterId, seen] = await handled.reaches(2) as [string, { readonly stack: readonly string[] }];
  assert.deepEqual(seen, {
    payload: { id: 7 },
    headers: { h: "v", language: "en", user_id: 7 },
    stack: ["web.get.1", emitterId, seen.stack[2]],
    deadline: undefined,
  });
  assert.match(seen.stack[2]!, /_handler\.one\./);
});

eventTest("an event of a source that nobody has declared is a BrokerError", async (stage) => {
  const source = stage.name("nobody");
  await assert.rejects(stage.dispatch(source, "e", 1), (error: Error) => {
    assert.ok(error instanceof BrokerError);
    assert.match(error.message, new RegExp(`^Cannot publish to exchange "${source}\\.events": `));
    return true;
  });
});

eventTest("a dispatched event is in its queue when emit() has resolved", async (stage) => {
  const emitter = stage.name("emitter");
  const handled = new Record<string>();
  const absent = service(stage.name("absent"), {
    entrypoints: { one: event(emitter, "placed") },
    handlers: { one() {} },
  });
  await (await stage.serve(absent))[Symbol.asyncDispose]();
  await stage.serve(service(emitter, {
    dependencies: { emit: dispatcher() },
    entrypoints: { start: event(emitter, "start") },
    handlers: {
      async start({ emit }) {
        await emit("placed", 1);
        handled.add("confirmed");
      },
    },
  }));
  await stage.dispatch(emitter, "start", null);
  await handled.reaches(1);
  const transport = await stage.transport();
  assert.equal(await transport.countMessages(`evt-${emitter}-placed--${absent.name}.one`), 1);
});

eventTest("a mandatory event that no queue takes is an UnroutableError, any other is gone", async (stage) => {
  const emitter = stage.name("emitter");
  const handled = new Record<string>();
  await stage.serve(service(emitter, {
    dependencies: { emit: dispatcher() },
    entrypoints: { start: event(emitter, "start") },
    handlers: {
      async start({ emit }) {
        await emit("placed", 1);
        await emit("placed", 1, { mandatory: true }).catch((error) => handled.add(error.name));
      },
    },
  }));
  await stage.dispatch(emitter, "start", null);
  assert.deepEqual(await handled.reaches(1), ["UnroutableError"]);
});

eventTest("an event is dispatched as its schema gives it, or not at all", async (stage) => {
  const emitter = stage.name("emitter");
  const handled = new Record<string>();
  const order = z.object({ sku: z.string(), count: z.number().default(1) });
  await stage.serve(service(emitter, {
    dependencies: { emit: dispatcher({ events: { placed: order } }) },
    entrypoints: { start: event(emitter, "start"), placed: event(emitter, "placed") },
    handlers: {
      async start({ emit }) {
        await emit("placed", { sku: 7 as never }).catch((error) =>
          handled.add(`${error.name}: ${error.message}`)
        );
        await emit("placed", { sku: "tea" });
      },
      placed: (_context, payload) => handled.add(JSON.stringify(payload)),
    },
  }));
  await stage.dispatch(emitter, "start", null);
  assert.deepEqual(await handled.reaches(2), [
    `TypeError: Cannot dispatch event "placed" of "${emitter}": its payload is not valid: ` +
    "sku: Invalid input: expected string, received number",
    '{"sku":"tea","count":1}',
  ]);
});
