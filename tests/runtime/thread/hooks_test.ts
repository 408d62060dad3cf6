import { deepStrictEqual, match, strictEqual, throws } from "node:assert/strict";
import { dispatcher } from "../../../extensions/events/mod.ts";
import { publisher } from "../../../extensions/messaging/mod.ts";
import { client } from "../../../extensions/rpc/mod.ts";
import { encodeResult } from "../../../extensions/rpc/wire.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import { type CallResult, dependency, provider } from "../../../runtime/service/dependency.ts";
import type { Hook, Outgoing, OutgoingHook } from "../../../runtime/service/hook.ts";
import { service } from "../../../runtime/service/service.ts";
import { fail, json, messageOf, single, stage, witness } from "../../fixtures/invoker_stage.ts";

/** A hook that notes when it begins and ends. */
function noting(name: string, events: string[]): Hook {
  return async (_call, next) => {
    events.push(`${name} begins`);
    try {
      return await next();
    } finally {
      events.push(`${name} ends`);
    }
  };
}

Deno.test("hooks run around the handler in their order, inside of the dependencies", async () => {
  const events: string[] = [];
  await using on = await stage(
    single({ a: witness("a", events) }, json(), () => void events.push("handler"), {
      around: [noting("outer", events), noting("inner", events)],
    }),
  );
  events.length = 0;
  await on.call([]);
  deepStrictEqual(events, [
    "get a",
    "outer begins",
    "inner begins",
    "handler",
    "inner ends",
    "outer ends",
    "release a after undefined",
  ]);
});

Deno.test("a hook sees the arguments, the entrypoint and the dependencies of its call", async () => {
  const seen: unknown[] = [];
  const hook: Hook = (call, next) => {
    seen.push(call.method, call.kind, call.options, call.arguments, call.context.a, call.request);
    return next();
  };
  await using on = await stage(
    single({ a: provider({ get: () => 1 }) }, json(), () => 2, { around: [hook] }),
  );
  await on.call(["x", 7]);
  deepStrictEqual(seen, ["run", "json", {}, ["x", 7], 1, undefined]);
});

Deno.test("a hook refuses a call by an error, and the handler does not run", async () => {
  let ran = false;
  const refuse: Hook = fail("not you");
  await using on = await stage(single({}, json(), () => ran = true, { around: [refuse] }));
  strictEqual(messageOf(await on.call([])), "not you");
  strictEqual(ran, false);
});

Deno.test("a hook replaces the result, or the handler", async () => {
  const double: Hook = async (_call, next) => Number(await next()) * 2;
  const instead: Hook = ({ arguments: [which] }, next) => which === "instead" ? 1 : next();
  await using on = await stage(single({}, json(), () => 21, { around: [double, instead] }));
  deepStrictEqual(await on.call(["handler"]), { status: "done", body: "42" });
  deepStrictEqual(await on.call(["instead"]), { status: "done", body: "2" });
});

Deno.test("a hook adds to the context of the hooks behind it and of the handler", async () => {
  const user: Hook<{ user: string }> = (_call, next) => next({ user: "ada" });
  const greeting: Hook<{ greeting: string }> = ({ context }, next) =>
    next({ greeting: `hello ${context.user}` });
  const served = service("greeter", {
    entrypoints: { run: json() },
    handlers: { run: ({ user, greeting }) => [user, greeting] },
    around: [user, greeting],
  });
  await using on = await stage(served);
  deepStrictEqual(await on.call([]), { status: "done", body: '["ada","hello ada"]' });
});

Deno.test("a hook that asks for the handler twice fails the call", async () => {
  let runs = 0;
  const twice: Hook = async (_call, next) => {
    await next();
    return await next();
  };
  await using on = await stage(single({}, json(), () => ++runs, { around: [twice] }));
  match(messageOf(await on.call([])), /^Cannot run single\.run again: a hook has called next\(\) twice/);
  strictEqual(runs, 1);
});

Deno.test("a hook cannot replace the call of the context", async () => {
  const forge: Hook<{ call: string }> = (_call, next) => next({ call: "forged" });
  await using on = await stage(single({}, json(), () => 1, { around: [forge] }));
  match(messageOf(await on.call([])), /^Cannot add "call" to the context/);
});

Deno.test("a handler whose hook has left fails no thread", async () => {
  const leave: Hook = (_call, next) => void next();
  await using on = await stage(
    single({}, json(), () => Promise.reject(new Error("late")), { around: [leave] }),
  );
  deepStrictEqual((await on.call([])).status, "done");
});

Deno.test("service() refuses hooks that are no functions", () => {
  const definition = { entrypoints: { run: json() }, handlers: { run: () => 1 } };
  throws(() => service("x", { ...definition, around: [1 as never] }), {
    name: "TypeError",
    message: 'Cannot define service "x": "around" must be a list of functions',
  });
  throws(
    () => service("x", { ...definition, outgoing: {} as never }),
    /"outgoing" must be a list of functions/,
  );
});

Deno.test("Call.carry() adds context data to the call and to all that it sends", async () => {
  const sent: Message[] = [];
  const messenger = {
    request: () => Promise.reject(new Error("nobody")),
    publish: (message: Message) => Promise.resolve(void sent.push(message)),
  };
  const carrying: Hook = (call, next) => {
    call.carry({ user_id: "ada" });
    return next();
  };
  await using on = await stage(
    single({ publish: publisher() }, json(), async ({ publish, call }) => {
      await publish(1);
      return call.headers;
    }, { around: [carrying] }),
    messenger,
  );
  deepStrictEqual(await on.call([]), { status: "done", body: '{"user_id":"ada"}' });
  strictEqual(sent[0]?.properties.headers?.["nameko.user_id"], "ada");
});

/** Everything that a handler can send. */
const SENDERS = { emit: dispatcher(), publish: publisher({ routingKey: "jobs" }), other: client("other") };

/** Runs a handler that sends all three, through a hook; gives what was sent and what the handler got. */
async function sending(hook: OutgoingHook) {
  const sent: unknown[] = [];
  const messenger = {
    request({ service, method, headers }: { service: string; method: string; headers: object }) {
      sent.push({ service, method, headers });
      return Promise.resolve(encodeResult('"answer"'));
    },
    publish: ({ routingKey, properties: { headers } }: Message) =>
      Promise.resolve(void sent.push({ routingKey, headers })),
  };
  await using on = await stage(
    single(SENDERS, json(), async ({ emit, publish, other }) => {
      await emit("placed", 1);
      await publish(2);
      return await other.ask!(3, "x");
    }, { outgoing: [hook] }),
    messenger,
  );
  const outcome = await on.call([]);
  return { sent, outcome };
}

Deno.test("an outgoing hook sees what a handler sends", async () => {
  const seen: Outgoing[] = [];
  await sending((outgoing, next) => {
    seen.push(outgoing);
    return next();
  });
  deepStrictEqual(seen, [
    { kind: "event", type: "placed", payload: 1, headers: {} },
    { kind: "message", exchange: "", routingKey: "jobs", payload: 2, headers: {} },
    { kind: "rpc", service: "other", method: "ask", args: [3, "x"], kwargs: {}, headers: {} },
  ]);
});

Deno.test("an outgoing hook adds context data to what a handler sends", async () => {
  const { sent } = await sending((_outgoing, next) => next({ signed: "yes" }));
  deepStrictEqual(
    sent.map((each) => (each as { headers: Record<string, unknown> }).headers["nameko.signed"]),
    ["yes", "yes", "yes"],
  );
});

Deno.test("an outgoing hook replaces the result of a call, and refuses by an error", async () => {
  const replaced = await sending(async ({ kind }, next) => {
    const result = await next();
    return kind === "rpc" ? `${result}!` : result;
  });
  deepStrictEqual(replaced.outcome, { status: "done", body: '"answer!"' });
  const refused = await sending(({ kind }, next) => {
    if (kind === "rpc") throw new Error("not there");
    return next();
  });
  strictEqual(messageOf(refused.outcome), "not there");
  strictEqual(refused.sent.length, 2);
});

Deno.test("a dependency uses others, which are acquired before it and released after it", async () => {
  const events: string[] = [];
  const shop = provider(
    {
      get(_call, { database, cache }) {
        events.push(`get shop with ${database} and ${cache}`);
        return `shop on ${database}`;
      },
      release: () => void events.push("release shop"),
    },
    { uses: { database: witness("database", events), cache: witness("cache", events) } },
  );
  await using on = await stage(
    single({ shop }, json(), (context) => [context.shop, Object.keys(context)]),
  );
  events.length = 0;
  deepStrictEqual(await on.call([]), {
    status: "done",
    body: JSON.stringify(["shop on database", ["call", "shop"]]),
  });
  deepStrictEqual(events.map((event) => event.replace(/ after .*/, "")), [
    "get database",
    "get cache",
    "get shop with database and cache",
    "release shop",
    "release cache",
    "release database",
  ]);
});

Deno.test("release() is told whether the entrypoint expects the error", async () => {
  const results: CallResult[] = [];
  const watching = provider({ get: () => 1, release: (_call, result) => void results.push(result) });
  const run = (_context: unknown, name: string) => {
    throw Object.assign(new Error(), { name });
  };
  await using on = await stage(single({ watching }, json({ expected: ["NotFound"] }), run));
  await on.call(["NotFound"]);
  await on.call(["Broken"]);
  deepStrictEqual(results.map((result) => !result.ok && result.expected), [true, false]);
});

Deno.test("DependencyHost.ask() asks the address of the dependency, with its own time limit", async () => {
  const asked: unknown[] = [];
  const messenger = {
    request(request: unknown, options: unknown) {
      asked.push(request, options);
      return Promise.resolve("pong");
    },
    publish: () => Promise.reject(new Error("nobody")),
  };
  const asking = dependency({
    kind: "pinger",
    bind: (host) => ({ get: () => host.ask("ping", { timeout: 5 }) }),
  });
  await using on = await stage(single({ asking }, json(), ({ asking }) => asking), messenger);
  deepStrictEqual(await on.call([]), { status: "done", body: '"pong"' });
  deepStrictEqual(asked, [
    { service: "dependency.single.asking", method: "ask", body: "ping", headers: {} },
    { timeout: 5 },
  ]);
});
