/** Events between both runtimes: who gets them, what they carry, what becomes of them where nobody is or a handler fails. */
import { deepStrictEqual, equal, match, rejects } from "node:assert/strict";
import { BrokerError, dispatcher, rpc, type Service, service, UnroutableError } from "../../mod.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import { EventWorld, type Handler } from "./event_world.ts";
import { type InteropStage, type Law, namekoLaws } from "./laws.ts";

configureLogging({ write: () => {} });

type Stage = InteropStage & { readonly events: EventWorld };

const PAYLOADS: readonly unknown[] = [
  null,
  0,
  -1.5,
  "",
  "grüße \u{1F344}",
  true,
  [],
  [1, [2, null]],
  {},
  { a: { b: [1, "é"] }, "": 0 },
];

/** Every kind of queue that both runtimes may share. */
const SHARED: readonly Handler[] = [
  { method: "pool", type: "pool" },
  { method: "pool_unreliable", type: "pool.unreliable", options: { reliable: false } },
  { method: "single", type: "single", options: { delivery: "singleton" } },
  {
    method: "single_unreliable",
    type: "single.unreliable",
    options: { delivery: "singleton", reliable: false },
  },
  { method: "broad", type: "broad", options: { delivery: "broadcast", reliable: true, broadcastId: "here" } },
  { method: "pattern", type: "pattern.*" },
];

/** A law that a runtime can declare what the other has declared, and that they then share the events. */
function sharing(first: "ours" | "python"): Law<Stage> {
  return {
    law: `what ${first === "ours" ? "Enoki" : "Nameko"} has declared, the other shares: every kind of queue`,
    core: true,
    async prove({ events }) {
      const [name, source] = [events.name("sharing"), events.name("source")];
      const order = first === "ours" ? ["ours", "python"] as const : ["python", "ours"] as const;
      for (const runtime of order) await events[runtime](name, source, SHARED);
      const types = SHARED.map(({ type }) => type.replace("*", "word"));
      for (const round of [1, 2, 3, 4]) {
        for (const type of types) await events.connected.dispatch(source, type, `${type} ${round}`);
      }
      const wanted = types.flatMap((type) => [1, 2, 3, 4].map((round) => `${type} ${round}`));
      deepStrictEqual((await events.shared(wanted.length)).toSorted(), wanted.toSorted());
    },
  };
}

const LAWS: readonly Law<Stage>[] = [
  {
    law:
      "Nameko's handlers of every kind get what a service of ours dispatches, with its context data and stack",
    core: true,
    async prove({ events }) {
      const [name, source] = [events.name("listener"), events.name("source")];
      const kinds = [
        ...SHARED.slice(0, 4),
        { method: "broad", type: "broad", options: { delivery: "broadcast" } },
        { method: "pattern", type: "pattern.*" },
      ] as const;
      await events.python(name, source, kinds);
      const emit = await events.emitter(source);
      for (const { method, type } of kinds) {
        const payload = { type, n: 1.5 };
        await emit(type.replace("*", "word"), payload, { language: "en", user_id: 7 });
        const got = await events.next();
        deepStrictEqual([got.method, got.payload], [method, payload]);
        const { traceparent: _, ...data } = got.data;
        deepStrictEqual(data, { language: "en", user_id: 7 });
        equal(got.stack.length, 3);
        match(got.stack[1]!, new RegExp(`^${source}\\.emit\\.`));
      }
    },
  },
  {
    law:
      "handlers of ours of every kind get what a service of Nameko dispatches, with its context data and stack",
    core: true,
    async prove({ events }) {
      const [name, source] = [events.name("listener"), events.name("source")];
      const kinds = [...SHARED.slice(0, 4), {
        method: "broad",
        type: "broad",
        options: { delivery: "broadcast" },
      }] as const;
      await events.stage.python("serve('emitter', source)", { source });
      await events.ours(name, source, [...kinds, { method: "pattern", type: "pattern.*" }]);
      for (
        const type of ["pool", "pool.unreliable", "single", "single.unreliable", "broad", "pattern.word"]
      ) {
        await events.stage.python(
          "call_with({'context': {'language': 'en', 'user_id': 7}}, source, 'emit', type_, {'type': type_, 'n': 1.5})",
          { source, type_: type },
        );
      }
      const got = await events.got.reaches(6);
      deepStrictEqual(got.map(({ payload }) => (payload as { type: string }).type).toSorted(), [
        "broad",
        "pattern.word",
        "pool",
        "pool.unreliable",
        "single",
        "single.unreliable",
      ]);
      for (const { data, stack } of got) {
        deepStrictEqual(data, { language: "en", user_id: 7 });
        equal(stack.length, 3);
        match(stack[1]!, new RegExp(`^${source}\\.emit\\.`));
      }
    },
  },
  {
    law: "payloads of every kind arrive, from either runtime and in both at once",
    async prove({ events }) {
      const source = events.name("source");
      await events.python(events.name("theirs"), source, [{ method: "take", type: "it" }]);
      await events.ours(events.name("ours"), source, [{ method: "take", type: "it" }]);
      for (const payload of PAYLOADS) {
        await events.connected.dispatch(source, "it", payload);
        deepStrictEqual((await events.next()).payload, payload);
        await events.stage.python("dispatch(source, 'it', payload)", { source, payload });
        deepStrictEqual((await events.next()).payload, payload);
      }
      const got = await events.got.reaches(2 * PAYLOADS.length);
      deepStrictEqual(got.map(({ payload }) => payload), PAYLOADS.flatMap((payload) => [payload, payload]));
    },
  },
  sharing("ours"),
  sharing("python"),
  {
    law: "what is dispatched outside of a service has neither context data nor former calls, in both",
    async prove({ events }) {
      const source = events.name("source");
      const [theirs, ours] = [events.name("theirs"), events.name("ours")];
      await events.python(theirs, source, [{ method: "take", type: "it" }]);
      await events.ours(ours, source, [{ method: "take", type: "it" }]);
      await events.stage.python("dispatch(source, 'it', 1)", { source });
      await events.connected.dispatch(source, "it", 2);
      const [a, b] = [await events.next(), await events.next()];
      deepStrictEqual([a, b].map(({ data, stack }) => [data, stack.length]), [[{}, 1], [{}, 1]]);
      const got = await events.got.reaches(2);
      deepStrictEqual(got.map(({ data, stack }) => [data, stack.length]), [[{}, 1], [{}, 1]]);
    },
  },
  {
    law:
      "each handler and each service has its own copy, and an instance of either runtime its own of a broadcast",
    async prove({ events }) {
      const [name, other, source] = [events.name("one"), events.name("other"), events.name("source")];
      const handlers: readonly Handler[] = [
        { method: "first", type: "it" },
        { method: "second", type: "it" },
        { method: "broad", type: "it", options: { delivery: "broadcast" } },
      ];
      await events.python(name, source, handlers);
      await events.ours(other, source, handlers);
      await events.ours(name, source, [handlers[2]!]);
      await events.connected.dispatch(source, "it", 1);
      const theirs = [await events.next(), await events.next(), await events.next()];
      deepStrictEqual(theirs.map(({ method }) => method).toSorted(), ["broad", "first", "second"]);
      const ours = await events.got.reaches(4);
      deepStrictEqual(
        ours.map(({ service, method }) => `${service === name ? "one" : "other"}.${method}`).toSorted(),
        [
          "one.broad",
          "other.broad",
          "other.first",
          "other.second",
        ],
      );
    },
  },
  {
    law: "of the singleton handlers of all services of both runtimes, one has an event",
    async prove({ events }) {
      const source = events.name("source");
      const handlers: readonly Handler[] = [{
        method: "take",
        type: "it",
        options: { delivery: "singleton" },
      }];
      await events.python(events.name("theirs"), source, handlers);
      await events.ours(events.name("ours"), source, handlers);
      for (const payload of [1, 2, 3, 4]) await events.connected.dispatch(source, "it", payload);
      deepStrictEqual((await events.shared(4)).toSorted(), [1, 2, 3, 4]);
    },
  },
  {
    law: "a broadcast queue of ours is called as Nameko calls it, and is exclusive",
    async prove({ events }) {
      const source = events.name("source");
      const handlers: readonly Handler[] = [{
        method: "take",
        type: "it",
        options: { delivery: "broadcast", broadcastId: "here" },
      }];
      for (const runtime of ["ours", "python"] as const) {
        const name = events.name(runtime);
        await events[runtime](name, source, handlers);
        const asked = await events.stage.answer("passively_declared(queue)", {
          queue: `evt-${source}-it--${name}.take-here`,
        });
        equal(asked.error?.class, "ResourceLocked", runtime);
      }
    },
  },
  {
    law:
      "what happens while nobody runs waits for either runtime where it is reliable, and is lost where it is not",
    core: true,
    async prove({ events }) {
      const [name, source] = [events.name("sleeping"), events.name("source")];
      const handlers: readonly Handler[] = [
        { method: "reliable", type: "it" },
        { method: "unreliable", type: "it", options: { reliable: false } },
      ];
      await (await events.ours(name, source, handlers)).shutdown();
      await events.connected.dispatch(source, "it", "while away");
      await events.python(name, source, handlers);
      const first = await events.next();
      deepStrictEqual([first.method, first.payload], ["reliable", "while away"]);
      await events.connected.dispatch(source, "it", "back");
      const next = [await events.next(), await events.next()];
      deepStrictEqual(next.map(({ method, payload }) => [method, payload]).toSorted(), [
        ["reliable", "back"],
        ["unreliable", "back"],
      ]);
    },
  },
  ...(["ours", "python"] as const).map((failing): Law<Stage> => ({
    law: `an event whose handler of ${
      failing === "ours" ? "ours" : "Python"
    } fails and requeues goes to the other runtime`,
    async prove({ events }) {
      const [name, source] = [events.name("requeue"), events.name("source")];
      const handler = (runtime: "ours" | "python"): Handler => ({
        method: "take",
        type: "it",
        options: { requeueOnError: true, failing: runtime === failing ? [1, 2, 3] : [] },
      });
      await events.python(name, source, [handler("python")]);
      await events.ours(name, source, [handler("ours")]);
      for (const payload of [1, 2, 3]) await events.connected.dispatch(source, "it", payload);
      const done = new Set<unknown>();
      if (failing === "ours") { while (done.size < 3) done.add((await events.next()).payload); }
      for (let count = 1; done.size < 3; count++) {
        for (const { payload } of await events.got.reaches(count)) done.add(payload);
      }
      deepStrictEqual([...done].toSorted(), [1, 2, 3]);
    },
  })),
  {
    law: "an event whose handler fails is gone, in both",
    async prove({ events }) {
      const source = events.name("source");
      const handlers: readonly Handler[] = [{ method: "take", type: "it", options: { failing: ["bad"] } }];
      await events.python(events.name("theirs"), source, handlers);
      await events.ours(events.name("ours"), source, handlers);
      for (const payload of ["bad", "good"]) await events.connected.dispatch(source, "it", payload);
      deepStrictEqual((await events.payloads(2)).toSorted(), ["bad", "good"]);
      deepStrictEqual((await events.got.reaches(2)).map(({ payload }) => payload).toSorted(), [
        "bad",
        "good",
      ]);
      deepStrictEqual(await events.stage.python("none_received(0.1)"), []);
      equal(events.got.all.length, 2);
    },
  },
  ...([
    [{}, {}],
    [{ priority: 3, expiration: 60, delivery_mode: 1 }, {
      priority: 3,
      expiration: 60_000,
      deliveryMode: 1,
    }],
    [{ headers: { h: "v" } }, { headers: { h: "v" } }],
    [{ compression: "gzip" }, { compression: "gzip" }],
  ] as const).map(([theirs, ours]): Law<Stage> => ({
    law: `the message of an event has Nameko's properties with the options ${JSON.stringify(ours)}`,
    async prove({ events }) {
      const messages = [];
      for (const runtime of ["ours", "python"] as const) {
        const source = events.name("source");
        const tap = await events.tap(source);
        if (runtime === "ours") await (await events.emitter(source, ours))("it", { n: 1 });
        else {
          await events.stage.python("serve('emitter', source, options=options)", {
            source,
            options: theirs,
          });
          await events.stage.python("call(source, 'emit', 'it', {'n': 1})", { source });
        }
        const { properties, routingKey } = await tap.next();
        await tap.stop();
        const { "nameko.call_id_stack": stack, "nameko.traceparent": _trace, ...headers } = {
          ...properties.headers,
        };
        equal((stack as readonly string[]).length, 2, runtime);
        messages.push({ routingKey, ...properties, headers });
      }
      deepStrictEqual(messages[0], messages[1]);
    },
  })),
  {
    law: "a mandatory event that nobody takes is an error of its dispatcher, and others are not",
    async prove({ events }) {
      const [theirs, ours] = [events.name("theirs"), events.name("ours")];
      await events.stage.python("serve('emitter', theirs, options={'mandatory': True})", { theirs });
      equal(
        await events.stage.python("call(theirs, 'emit_caught', 'it', 1)", { theirs }),
        "UndeliverableMessage",
      );
      const emit = await events.emitter(ours, { mandatory: true });
      await rejects(emit("it", 1), { remoteName: "UnroutableError" });
      await events.connected.dispatch(ours, "it", 1);
      await events.stage.python("dispatch(theirs, 'it', 1)", { theirs });
      await rejects(events.connected.dispatch(ours, "it", 1, { mandatory: true }), UnroutableError);
    },
  },
  {
    law: "whoever dispatches from outside in the name of a service that has never run is refused, in both",
    async prove({ events }) {
      const source = events.name("never");
      await rejects(events.connected.dispatch(source, "it", 1), BrokerError);
      const { error } = await events.stage.answer("dispatch(source, 'it', 1)", { source });
      equal(error?.class, "NotFound");
    },
  },
  {
    law: "AUTO_DELETE_EVENT_EXCHANGES decides alike in both what is declared",
    async prove({ events }) {
      const [theirs, ours] = [events.name("theirs"), events.name("ours")];
      const config = { AUTO_DELETE_EVENT_EXCHANGES: false };
      await events.stage.python("serve('emitter', theirs, config=config)", { theirs, config });
      const lasting = service(ours, {
        dependencies: { emit: dispatcher() },
        entrypoints: { none: rpc() },
        handlers: { none: () => {} },
      });
      await events.stage.ours([lasting as unknown as Service], { config });
      for (const source of [theirs, ours]) {
        deepStrictEqual(
          await events.stage.python("[declared_exchange(source, each) for each in (False, True)]", {
            source,
          }),
          [
            "",
            "PreconditionFailed",
          ],
        );
      }
    },
  },
];

namekoLaws(
  "Events between Nameko and Enoki",
  async (stage) => ({ events: new EventWorld(stage, await stage.cluster()) }),
  LAWS.map(({ prove, ...law }) => ({
    ...law,
    async prove(stage: Stage) {
      await stage.events.forget();
      await prove(stage);
    },
  })),
);
