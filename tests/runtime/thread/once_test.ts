/** What an invoker does with messages that must be handled once, and where what a call publishes goes. */
import { deepStrictEqual, match, rejects, strictEqual, throws } from "node:assert/strict";
import { consume, event, provider, queue } from "../../../mod.ts";
import type { Service } from "../../../runtime/service/service.ts";
import type { Message } from "../../../runtime/message/transport.ts";
import type { Messenger } from "../../../runtime/message/messenger.ts";
import type { Outcome } from "../../../runtime/message/outcome.ts";
import { type Once, SKIPPED } from "../../../runtime/service/effects/once.ts";
import { dependency, type DependencySpec, type Provider } from "../../../runtime/service/dependency.ts";
import type { AnyEntrypoint } from "../../../runtime/service/entrypoint.ts";
import { json, messageOf, single, type Stage, stage } from "../../fixtures/invoker_stage.ts";

/** A dependency that keeps an inbox in memory, and accounts for it. */
function inbox(events: string[] = [], ids = new Set<string>()): DependencySpec<undefined> {
  return provider({
    get: () => undefined,
    once(_call, id, keepFor) {
      events.push(`once ${id} for ${keepFor}`);
      if (ids.has(id)) return Promise.resolve(false);
      ids.add(id);
      return Promise.resolve(true);
    },
    release: (_call, { ok }) => void events.push(ok ? "commit" : "rollback"),
  });
}

const orders = (once: Once<{ id: number }> = true) => event<{ id: number }>("shop", "placed", { once });

function handling(entry: AnyEntrypoint, events: string[], dependencies = { db: inbox(events) }): Service {
  return single(dependencies, entry, (_context, ...args) => {
    events.push(`handled ${JSON.stringify(args)}`);
    return "result";
  }, {
    around: [async (_call, next) => {
      events.push("hook");
      return await next();
    }],
  });
}

/** Delivers a message with a property `messageId`. */
function deliver(at: Stage, body: unknown, messageId?: string): Promise<Outcome> {
  return at.call(body, 0, {
    queue: "q",
    exchange: "shop.events",
    routingKey: "placed",
    redelivered: false,
    properties: messageId === undefined ? {} : { messageId },
  });
}

Deno.test("a message of a known id runs neither hooks nor handler, and its call is done", async () => {
  const events: string[] = [];
  await using at = await stage(handling(orders(), events));
  deepStrictEqual(await deliver(at, { id: 7 }, "a"), { status: "done", body: undefined });
  deepStrictEqual(await deliver(at, { id: 7 }, "a"), { status: "done", body: undefined, head: SKIPPED });
  const week = 7 * 24 * 3_600;
  deepStrictEqual(events, [
    `once a for ${week}`,
    "hook",
    'handled [{"id":7}]',
    "commit",
    `once a for ${week}`,
    "commit",
  ]);
  strictEqual(at.records.filter(({ level }) => level === "debug").length, 1);
});

Deno.test("`by` gets payload and message, and its id counts for `for` seconds", async () => {
  const events: string[] = [];
  const once: Once<{ id: number }> = { by: ({ id }, { routingKey }) => `${routingKey} ${id}`, for: 60 };
  await using at = await stage(handling(orders(once), events));
  await deliver(at, { id: 7 });
  deepStrictEqual(events[0], "once placed 7 for 60");
});

for (
  const [name, once, messageId, reason] of [
    ["no messageId and no `by`", true, undefined, /no property messageId/],
    ["a `by` that fails", { by: () => JSON.parse("{") }, "a", /`by` failed: SyntaxError/],
    ["a `by` that gives no text", { by: () => undefined as never }, "a", /got undefined/],
    ["an id that no database can store", { by: () => "a\0" }, "a", /without NUL/],
    ["an id that is too long", true, "x".repeat(256), /a text of 256 characters/],
  ] as readonly (readonly [string, Once<{ id: number }>, string | undefined, RegExp])[]
) {
  Deno.test(`a message with ${name} is never handled, and counts as unreadable`, async () => {
    const events: string[] = [];
    await using at = await stage(handling(orders(once), events));
    const outcome = await deliver(at, { id: 7 }, messageId);
    match(messageOf(outcome), reason);
    strictEqual(outcome.status === "failed" && outcome.undecoded, true);
    deepStrictEqual(events, []);
  });
}

Deno.test("consume() hands the message on to the handler, also with `once`", async () => {
  const events: string[] = [];
  const served = handling(consume(queue("jobs"), { once: true }), events);
  await using at = await stage(served);
  await deliver(at, 1, "a");
  match(events[2]!, /^handled \[1,\{"queue":"q".*"messageId":"a"/);
});

for (
  const [name, dependencies, once, reason] of [
    ["if no dependency keeps an inbox", {}, true, /no dependency of the service keeps an inbox/],
    ["if two do", { a: inbox(), b: inbox() }, true, /"a" and "b" keep an inbox. Name one.*inbox: "a"/],
    ["if the named one does not", { a: inbox() }, { inbox: "b" }, /inbox "b" is no dependency.*Those.*"a"/],
  ] as const
) {
  Deno.test(`a service that handles messages once does not start ${name}`, async () => {
    await rejects(stage(handling(orders(once), [], dependencies as never)), reason);
  });
}

Deno.test("`inbox` names the dependency that keeps the inbox", async () => {
  const [a, b]: string[][] = [[], []];
  const dependencies = { a: inbox(a), b: inbox(b) };
  await using at = await stage(handling(orders({ inbox: "b" }), [], dependencies as never));
  await deliver(at, { id: 7 }, "id");
  deepStrictEqual([a!.length, b!.length], [1, 2]);
});

Deno.test("`once` refuses options that it does not know, and what makes no sense", () => {
  throws(() => orders({ per: 1 } as never), /no option "per"/);
  throws(() => orders({ for: 0 }), RangeError);
  throws(() => event("a", "b", { once: true, delivery: "broadcast" }), /each instance/);
  throws(() => consume(queue("q"), { once: true, noAck: true }), /both noAck and once/);
  throws(() => consume(queue("q"), { once: true, reply: true }), /both reply and once/);
});

const MESSAGE: Message = { exchange: "", routingKey: "q", body: "", properties: {} };

/** A dependency that publishes what its value is called with. */
const publishing = (outbox?: boolean) =>
  dependency<() => Promise<void>>({
    bind: (host) => ({ get: (call) => () => host.publish(call, MESSAGE, { key: "k", outbox }) }),
  });

/** A dependency that diverts. */
const diverting = (taken: unknown[]) =>
  dependency<undefined>({
    bind: (host): Provider<undefined> => ({
      get: (call) =>
        host.divert(call, (message, { key }) => {
          taken.push([message.routingKey, key]);
          return Promise.resolve();
        }) as undefined,
    }),
  });

/** Runs one call, and returns what reached the broker and what was diverted. */
async function published(
  dependencies: (taken: unknown[]) => Record<string, DependencySpec<unknown>>,
): Promise<{ readonly sent: unknown[]; readonly taken: unknown[]; readonly outcome: Outcome }> {
  const sent: unknown[] = [];
  const taken: unknown[] = [];
  const messenger: Messenger = {
    request: () => Promise.reject(new Error("nobody")),
    publish: ({ routingKey }) => Promise.resolve(void sent.push(routingKey)),
  };
  const served = single(dependencies(taken), json(), ({ publish }) => (publish as () => Promise<void>)());
  await using at = await stage(served, messenger);
  return { sent, taken, outcome: await at.call([]) };
}

Deno.test("what a call publishes goes to the broker while no dependency diverts it", async () => {
  const { sent, taken } = await published(() => ({ publish: publishing() }));
  deepStrictEqual([sent, taken], [["q"], []]);
});

Deno.test("a dependency diverts what a call publishes, whichever of them comes first", async () => {
  for (const order of [0, 1]) {
    const { sent, taken } = await published((taken) =>
      Object.fromEntries(
        [["publish", publishing()], ["db", diverting(taken)]].slice().sort(() => order === 0 ? 1 : -1),
      )
    );
    deepStrictEqual([sent, taken], [[], [["q", "k"]]]);
  }
});

Deno.test("outbox: false passes a diversion", async () => {
  const { sent, taken } = await published((taken) => ({ publish: publishing(false), db: diverting(taken) }));
  deepStrictEqual([sent, taken], [["q"], []]);
});

Deno.test("two dependencies that divert the same call fail it", async () => {
  const { outcome } = await published((taken) => ({
    publish: publishing(),
    a: diverting(taken),
    b: diverting(taken),
  }));
  match(messageOf(outcome), /two dependencies keep an outbox/);
});
