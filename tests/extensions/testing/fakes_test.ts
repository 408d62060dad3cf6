import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { client, dispatcher, publisher, rpc, service, websocket, websocketHub } from "../../../mod.ts";
import {
  fakeClient,
  fakeDispatcher,
  fakeHub,
  fakePublisher,
  testContext,
} from "../../../extensions/testing/mod.ts";

const payments = service("payments", {
  entrypoints: { charge: rpc(), refund: rpc() },
  handlers: {
    charge: (_context, total: number) => ({ total, at: new Date() }),
    refund: (_context, id: number) => id,
  },
});

const orders = service("orders", {
  dependencies: {
    payments: client<typeof payments>("payments"),
    emit: dispatcher<{ placed: { id: number }; cancelled: number }>(),
    print: publisher<string>(),
  },
  entrypoints: { place: rpc(), cancel: rpc() },
  handlers: {
    async place({ payments, emit, print }, id: number) {
      const { at } = await payments.charge.with({ timeout: 5 })(7);
      await emit("placed", { id });
      await print(`order ${id}`, { priority: 5 });
      return at;
    },
    cancel: ({ payments }, id: number) => payments.refund.start(id).result(),
  },
});

Deno.test("a fake client answers with plain functions, which get the arguments", async () => {
  const totals: number[] = [];
  const fake = fakeClient<typeof payments>({
    charge(total) {
      totals.push(total);
      return { total, at: "today" };
    },
    refund: (id) => Promise.resolve(id + 1),
  });
  const emit = fakeDispatcher<{ placed: { id: number }; cancelled: number }>();
  const print = fakePublisher<string>();
  strictEqual(
    await orders.handlers.place(testContext(orders, { payments: fake, emit, print }), 1),
    "today",
  );
  deepStrictEqual(totals, [7]);
  strictEqual(await orders.handlers.cancel(testContext(orders, { payments: fake }), 1), 2);
});

Deno.test("a fake client gives kwargs the positional arguments, then the named ones", async () => {
  const fake = fakeClient<typeof payments>({ charge: (...args) => args as never });
  deepStrictEqual(await fake.charge.kwargs({ total: 5 }, 1), [1, { total: 5 }]);
});

Deno.test("a fake client says which method the test has not given", async () => {
  await rejects(fakeClient<typeof payments>({}).refund(1), {
    name: "TypeError",
    message: 'Cannot call "refund" of a fake client: the test gives no such method. Pass it to fakeClient()',
  });
});

Deno.test("a fake client can be awaited, and is no promise", async () => {
  const fake = fakeClient<typeof payments>({});
  strictEqual(await fake, fake);
});

Deno.test("a fake dispatcher records the events in their order", async () => {
  const emit = fakeDispatcher<{ placed: { id: number }; cancelled: number }>();
  await emit("placed", { id: 1 });
  await emit("cancelled", 1);
  deepStrictEqual(emit.events, [
    { type: "placed", payload: { id: 1 } },
    { type: "cancelled", payload: 1 },
  ]);
});

Deno.test("a fake publisher records the messages with their options", async () => {
  const print = fakePublisher<string>();
  await print("a", { priority: 5 });
  await print("b");
  deepStrictEqual(print.messages, [{ payload: "a", options: { priority: 5 } }, {
    payload: "b",
    options: {},
  }]);
});

const chat = service("chat", {
  dependencies: { hub: websocketHub<{ said: string; welcome: { room: string } }>() },
  entrypoints: { join: websocket(), say: websocket(), leave: websocket() },
  handlers: {
    async join({ hub }, socketId, room: string) {
      await hub.subscribe(socketId, room);
      return await hub.unicast(socketId, "welcome", { room });
    },
    say: ({ hub }, _socketId, room: string, text: string) => hub.broadcast(room, "said", text),
    async leave({ hub }, socketId, room: string) {
      await hub.unsubscribe(socketId, room);
      return await hub.subscriptions(socketId);
    },
  },
});

Deno.test("a fake hub records broadcasts, unicasts and subscriptions", async () => {
  const hub = fakeHub<{ said: string; welcome: { room: string } }>();
  const context = testContext(chat, { hub });
  strictEqual(await chat.handlers.join(context, "s1", "lobby"), true);
  await chat.handlers.join(context, "s1", "attic");
  await chat.handlers.say(context, "s1", "lobby", "Hello");
  deepStrictEqual(await chat.handlers.leave(context, "s1", "attic"), ["lobby"]);
  deepStrictEqual(hub.broadcasts, [{ channel: "lobby", event: "said", data: "Hello" }]);
  deepStrictEqual(hub.unicasts.map(({ data }) => data), [{ room: "lobby" }, { room: "attic" }]);
  deepStrictEqual(hub.channels, new Map([["lobby", new Set(["s1"])]]));
});

Deno.test("a fake hub with a list of sockets knows no others", async () => {
  const hub = fakeHub<{ said: string }>({ sockets: ["s1"] });
  await hub.subscribe("s1", "lobby");
  await rejects(hub.subscribe("s2", "lobby"), { name: "ConnectionNotFoundError" });
  deepStrictEqual([await hub.unicast("s1", "said", "a"), await hub.unicast("s2", "said", "b")], [
    true,
    false,
  ]);
  strictEqual(hub.unicasts.length, 2);
});
