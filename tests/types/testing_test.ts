/** What the types of the testing door promise: the compiler is the judge. */
import { fakeHub, type TestApp, testContext, testServices } from "../../extensions/testing/mod.ts";
import { client, dispatcher, event, http, rpc, service, timer, websocket, websocketHub } from "../../mod.ts";
import type { Equal, Expect } from "./equality.ts";

const chat = service("chat", {
  dependencies: { hub: websocketHub<{ said: string; left: { id: number } }>() },
  entrypoints: { say: websocket() },
  handlers: { say: ({ hub }, _socketId, text: string) => hub.broadcast("lobby", "said", text) },
});

Deno.test("a fake hub has the types of the events of its service", () => {
  const hub = fakeHub<{ said: string; left: { id: number } }>();
  testContext(chat, { hub });
  type Sent = (typeof hub.broadcasts)[number];
  type _ = Expect<Equal<Extract<Sent, { event: "left" }>["data"], { id: number }>>;
  // @ts-expect-error -- the payload of "said" is a text
  void hub.broadcast("lobby", "said", 5);
  // @ts-expect-error -- the hub of another service
  testContext(chat, { hub: fakeHub<{ said: number }>() });
});

const payments = service("payments", {
  entrypoints: { charge: rpc() },
  handlers: { charge: (_context, total: number) => ({ paid: total, at: new Date() }) },
});

const orders = service("orders", {
  dependencies: {
    payments: client<typeof payments>("payments"),
    emit: dispatcher<{ placed: { id: number }; cancelled: number }>(),
  },
  entrypoints: { place: rpc(), show: http("GET", "/orders/<int:id>"), sweep: timer({ interval: 1 }) },
  handlers: {
    place: (_context, id: number, note?: string) => ({ id, note }),
    show: (_context, _request, { id }) => String(id),
    sweep: () => {},
  },
});

const mail = service("mail", {
  entrypoints: { confirm: event<{ id: number }>("orders", "placed") },
  handlers: { confirm: (_context, { id }) => void id },
});

/** Never runs: the compiler alone looks at it. */
async function typedByServices(app: TestApp<readonly [typeof orders, typeof payments, typeof mail]>) {
  const receipt = await app.call("payments.charge", 5);
  type _1 = Expect<Equal<typeof receipt, { paid: number; at: string }>>;
  await app.call("orders.place", 1, "quick");
  // @ts-expect-error -- a mistyped method
  await app.call("payments.chrge", 5);
  // @ts-expect-error -- a mistyped argument
  await app.call("payments.charge", "5");
  // @ts-expect-error -- no RPC method
  await app.call("orders.show");

  const placed = await app.waitFor("orders.place", { where: ({ args: [id] }) => id === 1 });
  type _2 = Expect<Equal<typeof placed.args, [id: number, note?: string | undefined]>>;
  const confirmed = await app.waitFor("mail.confirm");
  type _3 = Expect<Equal<(typeof confirmed.args)[0], { id: number }>>;
  const shown = await app.waitFor("orders.show");
  type _4 = Expect<Equal<(typeof shown.args)[1], { readonly id: number }>>;
  // @ts-expect-error -- a mistyped method
  await app.waitFor("mail.confrim");
  // @ts-expect-error -- a mistyped method
  await app.fire("orders.sweeep");

  await app.dispatch("orders", "placed", { id: 1 });
  await app.dispatch(orders, "cancelled", 1);
  await app.dispatch("others", "anything", "at all");
  // @ts-expect-error -- a mistyped event
  await app.dispatch("orders", "plcaed", { id: 1 });
  // @ts-expect-error -- a wrong payload
  await app.dispatch(orders, "placed", { id: "1" });

  const byName = await app.client("payments").charge(1);
  const byService = await app.client(payments).charge(1);
  type _5 = Expect<Equal<typeof byName, typeof byService>>;
}

Deno.test("testServices() has the types of the services that it is given", () => {
  void typedByServices;
  const typed = () =>
    testServices([orders, payments], {
      only: ["orders.place", "payments.*", "*.charge"],
      replace: { orders: { payments: { charge: (total) => ({ paid: total, at: "now" }) } } },
    });
  const mistyped = [
    // @ts-expect-error -- no service has this method
    () => testServices([orders], { only: ["orders.plce"] }),
    // @ts-expect-error -- the result of the fake is none of the service
    () => testServices([orders], { replace: { orders: { payments: { charge: () => 5 } } } }),
    // @ts-expect-error -- no such dependency
    () => testServices([orders], { replace: { orders: { payment: {} } } }),
    // @ts-expect-error -- no such service
    () => testServices([orders], { replace: { order: {} } }),
  ];
  void [typed, mistyped];
});

Deno.test("testServices() takes any name where only the module of a service is known", () => {
  const untyped = async () => {
    const app = await testServices(["./orders.ts", payments, mail], {
      only: ["orders.place"],
      replace: { orders: { payments: 5 } },
    });
    const result = await app.call("orders.place", 1, 2, 3);
    type _1 = Expect<Equal<typeof result, unknown>>;
    const receipt = await app.call("payments.charge", 5);
    type _2 = Expect<Equal<typeof receipt.paid, number>>;
    await app.waitFor("orders.place");
  };
  void untyped;
});
