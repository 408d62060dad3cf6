import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { rpc, service } from "../../../mod.ts";
import { fakeClient, fakeDispatcher, testServices } from "../../../extensions/testing/mod.ts";
import { chat, mail, type Order, orders, payments } from "../../fixtures/tested_services.ts";

const MODULE = new URL("../../fixtures/tested_services.ts", import.meta.url);
const ORDER: Order = { id: 7, total: 30 };

Deno.test("testServices() serves services whose values are encoded as on the wire", async () => {
  await using app = await testServices([orders, payments]);
  const at = "1970-01-01T00:00:00.000Z";
  deepStrictEqual(await app.call("orders.place", ORDER), { paid: 30, at });
  deepStrictEqual(await app.client(orders).place(ORDER, "quick"), { paid: 30, at, note: "quick" });
  deepStrictEqual(await app.client("payments").charge(1), { paid: 1, at });
  await rejects(app.call("payments.charge", 2_000), { name: "RemoteError", remoteName: "Declined" });
  await rejects(app.call("nobody.greet" as never), { name: "UnknownServiceError" });
});

Deno.test("testServices() takes modules, and one service of a module", async () => {
  await using app = await testServices([MODULE, `${import.meta.filename}:alone`]);
  strictEqual(await app.call("alone.number"), 5);
  deepStrictEqual([...app.containers.keys()].sort(), ["alone", "chat", "mail", "orders", "payments"]);
});

export const alone = service("alone", { entrypoints: { number: rpc() }, handlers: { number: () => 5 } });
export const other = service("other", { entrypoints: {}, handlers: {} });

Deno.test("testServices() gives handlers fakes in place of their dependencies", async (test) => {
  const emit = fakeDispatcher<{ placed: Order; cancelled: number }>();
  await test.step("plain functions for a client, and a fake dispatcher", async () => {
    const charge = (total: number) => ({ paid: total + 1, at: "now" });
    await using app = await testServices([orders], { replace: { orders: { payments: { charge }, emit } } });
    deepStrictEqual(await app.call("orders.place", ORDER), { paid: 31, at: "now" });
    deepStrictEqual(emit.events, [{ type: "placed", payload: ORDER }]);
  });
  await test.step("a fake client", async () => {
    const fake = fakeClient<typeof payments>({ charge: () => ({ paid: 0, at: "never" }) });
    await using app = await testServices([orders], { replace: { orders: { payments: fake, emit } } });
    strictEqual((await app.call("orders.place", ORDER)).at, "never");
  });
  await test.step("what the functions lack is told", async () => {
    await using app = await testServices([orders], { replace: { orders: { payments: {}, emit } } });
    await rejects(app.call("orders.place", ORDER), /Cannot call "charge" of a fake client/);
  });
});

Deno.test("testServices() starts only the methods that `only` names", async () => {
  await using app = await testServices([orders, mail, payments], {
    only: ["orders.place", "payments.*", "*.send"],
  });
  await app.call("orders.place", ORDER);
  await app.publish("hello", { routingKey: "letters" });
  await app.idle();
  deepStrictEqual(app.calls.map(({ method }) => method).sort(), ["charge", "place", "send"]);
  strictEqual(app.http, undefined);
  await rejects(app.fire("orders.sweep"), /no timer and no cron is started here/);
  await rejects(app.waitFor("mail.confirm"), /the option "only" leaves it out/);
});

Deno.test("timers and crons fire when the test says so, and not otherwise", async () => {
  await using app = await testServices([orders, payments]);
  await app.call("orders.place", ORDER);
  deepStrictEqual(app.calls.filter(({ kind }) => kind === "timer"), []);
  deepStrictEqual(await app.fire("orders.sweep"), { ok: true, result: undefined });
  const outcome = await app.fire("orders.report");
  strictEqual(!outcome.ok && outcome.expected && outcome.error.message, "nothing to report");
  await rejects(app.fire("orders.swep" as "orders.sweep"), /Did you mean orders.sweep\?/);
});

Deno.test("many tests run at once in one process, each with a broker of its own", async () => {
  await Promise.all(Array.from({ length: 10 }, async (_, id) => {
    await using app = await testServices([orders, payments, mail]);
    await app.call("orders.place", { id, total: 1 });
    const { args } = await app.waitFor("mail.confirm");
    deepStrictEqual(args, [{ id, total: 1 }]);
  }));
});

Deno.test("app.fetch() and app.socket() reach the services, and leave nothing open", async () => {
  await using app = await testServices([orders, chat]);
  deepStrictEqual(await (await app.fetch("/orders/5")).json(), { id: 5 });
  strictEqual((await app.fetch("/orders/five")).status, 404); // its body stays unread
  const [request, params] = (await app.waitFor("orders.show")).args;
  deepStrictEqual([new URL(request.url).pathname, params], ["/orders/5", { id: 5 }]);
  const one = await app.socket<typeof chat>("/ws");
  const two = await app.socket<typeof chat>();
  const { promise: heard, resolve } = Promise.withResolvers<string>();
  two.on("said", resolve);
  await two.call.join("lobby");
  await one.call.say("lobby", "Hello");
  strictEqual(await heard, "Hello");
  const { args } = await app.waitFor("chat.join");
  deepStrictEqual(args, [two.id, "lobby"]);
  await rejects(app.socket("/wss"), /the services here have only \/ws/);
});

Deno.test("what cannot be tested is refused in one sentence", async (test) => {
  const refusals: readonly (readonly [string, () => Promise<unknown>, RegExp])[] = [
    ["no services", () => testServices([]), /there are none/],
    ["a mistyped option", () => testServices([orders], { repalce: {} } as never), /Did you mean replace\?/],
    [
      "no method",
      () => testServices([orders], { only: ["orders" as never] }),
      /"orders": it names no method/,
    ],
    [
      "a mistyped method",
      () => testServices([orders], { only: ["orders.plce" as never] }),
      /Did you mean orders\.place\?/,
    ],
    [
      "a mistyped service",
      () => testServices([orders], { replace: { order: {} } as never }),
      /Did you mean orders\?/,
    ],
    [
      "a mistyped dependency",
      () => testServices([orders], { replace: { orders: { payment: {} } } as never }),
      /Did you mean payments\?/,
    ],
    [
      "a fake in another thread",
      () => testServices([orders], { threads: {}, replace: { orders: { payments: {} } } }),
      /a fake lives in the thread of the test/,
    ],
    [
      "a service without a module in another thread",
      () => testServices([alone], { threads: {} }),
      /Define it with module: import\.meta\.url/,
    ],
    [
      "no such service in a module",
      () => testServices([`${MODULE.pathname}:nobody`]),
      /exports no service "nobody", only "chat", "mail"/,
    ],
    [
      "a time limit that is none, before anything is loaded",
      () => testServices(["./nowhere.ts"], { timeout: "soon" as never }),
      /timeout must be milliseconds, 0 or more/,
    ],
    [
      "a number of calls to keep that is none",
      () => testServices([orders], { keep: -1 }),
      /keep must be a number of calls, 0 or more, got -1/,
    ],
    ["no module", () => testServices(["./nowhere.ts"]), /Cannot load module file:.*nowhere\.ts/],
  ];
  for (const [name, start, message] of refusals) await test.step(name, () => rejects(start(), { message }));
});
