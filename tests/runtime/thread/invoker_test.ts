import { deepStrictEqual, notStrictEqual, ok, rejects, strictEqual } from "node:assert/strict";
import { provider } from "../../../runtime/service/dependency.ts";
import { entrypoint, type HandlerFacts } from "../../../runtime/service/entrypoint.ts";
import { BadRequestError } from "../../../runtime/message/errors.ts";
import { service } from "../../../runtime/service/service.ts";
import { rpc } from "../../../extensions/rpc/mod.ts";
import { converting, fail, json, messageOf, single, stage, witness } from "../../fixtures/invoker_stage.ts";

Deno.test("Invoker.invoke() gives the handler its context and arguments and encodes its result", async () => {
  await using on = await stage(
    single({ a: provider({ get: () => 1 }) }, json(), ({ a }, b: number, c: number) => ({ sum: a + b + c })),
  );
  deepStrictEqual(await on.call([2, 3]), { status: "done", body: '{"sum":6}' });
});

Deno.test("Invoker.invoke() waits for whatever is a promise", async () => {
  const entry = entrypoint({
    kind: "later",
    options: {},
    prepare: () => ({ decode: () => Promise.resolve([2]), encode: (value) => Promise.resolve(`<${value}>`) }),
  });
  await using on = await stage(
    single(
      { a: provider({ get: () => Promise.resolve(1) }) },
      entry,
      ({ a }, b: number) => Promise.resolve(a + b),
    ),
  );
  deepStrictEqual(await on.call([]), { status: "done", body: "<3>" });
});

Deno.test("Invoker.invoke() calls the handler as a method of the handlers", async () => {
  const handlers = {
    run(this: { helper(): string }) {
      return this.helper();
    },
    helper: () => "helped",
  };
  await using on = await stage(
    service("methods", { entrypoints: { run: json(), helper: json() }, handlers }),
  );
  strictEqual((await on.call([]) as { body: string }).body, '"helped"');
});

Deno.test("Invoker.invoke() calls the method of a class on its instance, with keyword arguments", async () => {
  class Base {
    #greeting = "Hello";
    greet(_context: unknown, name: string, mark = "!"): string {
      return `${this.#greeting}, ${name}${mark}`;
    }
  }
  class Handlers extends Base {
    override greet(_context: unknown, name: string, mark?: string): string {
      return super.greet(_context, name.toUpperCase(), mark);
    }
  }
  await using on = await stage(
    service("instance", { entrypoints: { greet: rpc() }, handlers: new Handlers() }),
  );
  const outcome = await on.call({ args: [], kwargs: { mark: "?", name: "Ada" } });
  deepStrictEqual(outcome, { status: "done", body: '"Hello, ADA?"' });
});

Deno.test("Invoker.invoke() runs the entrypoint that the message names", async () => {
  const several = service("several", {
    entrypoints: { one: [json(), json()], two: json() },
    handlers: { one: () => 1, two: () => 2 },
  });
  await using on = await stage(several);
  const bodies = [];
  for (const index of [0, 1, 2]) bodies.push((await on.call([], index) as { body: string }).body);
  deepStrictEqual(bodies, ["1", "1", "2"]);
});

Deno.test("Invoker.invoke() gives every call a context of its own", async () => {
  const contexts: object[] = [];
  await using on = await stage(single({ a: provider({ get: () => 1 }) }, json(), (context) => {
    contexts.push(context);
    Object.assign(context, { a: "changed" });
    return contexts.length;
  }));
  await on.call([]);
  await on.call([]);
  notStrictEqual(contexts[0], contexts[1]);
  const [first, second] = contexts as { call: { id: string } }[];
  notStrictEqual(first!.call.id, second!.call.id);
});

Deno.test("Invoker.invoke() gets dependencies in order and releases them in reverse", async () => {
  const events: string[] = [];
  const dependencies = { a: witness("a", events), b: witness("b", events), c: witness("c", events) };
  await using on = await stage(single(dependencies, json(), () => {
    events.push("run");
    return 1;
  }));
  events.length = 0;
  await on.call([]);
  deepStrictEqual(events, [
    "get a",
    "get b",
    "get c",
    "run",
    "release c after 1",
    "release b after 1",
    "release a after 1",
  ]);
});

Deno.test("Invoker.invoke() releases only what it got when a later get fails", async () => {
  const events: string[] = [];
  const dependencies = { a: witness("a", events), b: witness("b", events, "get"), c: witness("c", events) };
  await using on = await stage(single(dependencies, json(), () => events.push("run")));
  events.length = 0;
  strictEqual(messageOf(await on.call([])), "get of b failed");
  deepStrictEqual(events, ["get a", "get b", "release a after get of b failed"]);
});

Deno.test("Invoker.invoke() releases after a handler that fails", async () => {
  for (const run of [fail("boom"), () => Promise.reject(new Error("boom"))]) {
    const events: string[] = [];
    const dependencies = { a: witness("a", events), b: witness("b", events) };
    await using on = await stage(single(dependencies, json(), run));
    events.length = 0;
    strictEqual(messageOf(await on.call([])), "boom");
    deepStrictEqual(events, ["get a", "get b", "release b after boom", "release a after boom"]);
  }
});

Deno.test("Invoker.invoke() releases after a result that cannot be encoded", async () => {
  const events: string[] = [];
  await using on = await stage(
    single({ a: witness("a", events) }, converting(() => [], fail("no such text")), () => 1),
  );
  events.length = 0;
  strictEqual(messageOf(await on.call([])), "no such text");
  deepStrictEqual(events, ["get a", "release a after no such text"]);
});

Deno.test("Invoker.invoke() fails a call whose release fails, and releases the others", async () => {
  const events: string[] = [];
  const dependencies = {
    a: witness("a", events),
    b: witness("b", events, "release"),
    c: witness("c", events),
  };
  await using on = await stage(single(dependencies, json(), () => 1));
  events.length = 0;
  strictEqual(messageOf(await on.call([])), "release of b failed");
  deepStrictEqual(events.slice(3), [
    "release c after 1",
    "release b after 1",
    "release a after release of b failed",
  ]);
});

Deno.test("Invoker.invoke() takes providers without release", async () => {
  await using on = await stage(single({ a: provider({ get: () => 1 }) }, json(), ({ a }) => a));
  strictEqual((await on.call([])).status, "done");
});

Deno.test("Invoker.invoke() keeps a bad request from dependencies and handler", async () => {
  const events: string[] = [];
  const decode = () => {
    throw new BadRequestError("bad", { data: { argument: 0 } });
  };
  await using on = await stage(
    single({ a: witness("a", events) }, converting(decode), () => events.push("run")),
  );
  events.length = 0;
  const outcome = await on.call([]);
  deepStrictEqual(events, []);
  deepStrictEqual(outcome, {
    status: "failed",
    failure: {
      name: "BadRequestError",
      message: "bad",
      code: "BAD_REQUEST",
      data: { argument: 0 },
      retryable: false,
    },
    expected: true,
    undecoded: true,
  });
});

Deno.test("Invoker.create() sets providers up in order, and disposal disposes them in reverse, once", async () => {
  const events: string[] = [];
  const on = await stage(single({ a: witness("a", events), b: witness("b", events) }, json(), () => 1));
  deepStrictEqual(events, ["setup a", "setup b"]);
  events.length = 0;
  await on[Symbol.asyncDispose]();
  await on[Symbol.asyncDispose]();
  deepStrictEqual(events, ["dispose b", "dispose a"]);
});

Deno.test("Invoker.create() disposes what was set up when a later setup fails", async () => {
  const events: string[] = [];
  const dependencies = { a: witness("a", events), b: witness("b", events, "setup"), c: witness("c", events) };
  await rejects(stage(single(dependencies, json(), () => 1)), { message: "setup of b failed" });
  deepStrictEqual(events, ["setup a", "setup b", "dispose a"]);
});

Deno.test("Invoker.create() tells entrypoints the service, the method and the parameters", async () => {
  const facts: unknown[] = [];
  const entry = entrypoint({
    kind: "curious",
    options: {},
    bindsByName: true,
    prepare(given) {
      facts.push(given);
      return { decode: () => [], encode: String };
    },
  });
  await using _on = await stage(single({}, entry, (_context, _a: number, _b = 1) => 1));
  ok(facts.length === 1);
  const { messenger: _, ...rest } = facts[0] as unknown as HandlerFacts;
  deepStrictEqual(rest, {
    service: "single",
    method: "run",
    parameters: [{ name: "_a", optional: false, rest: false }, { name: "_b", optional: true, rest: false }],
  });
});

Deno.test("Invoker.create() reads no parameters where nothing is bound by name", async () => {
  const facts: HandlerFacts[] = [];
  const entry = entrypoint({
    kind: "indifferent",
    options: {},
    prepare(given) {
      facts.push(given);
      return { decode: () => [], encode: String };
    },
  });
  await using _on = await stage(single({}, entry, (_context, _a: number) => 1));
  strictEqual(facts[0]!.parameters, undefined);
});
