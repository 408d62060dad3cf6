import { deepStrictEqual, rejects, strictEqual } from "node:assert/strict";
import { rpc, service } from "../../../mod.ts";
import { type TestApp, testServices } from "../../../extensions/testing/mod.ts";
import { mail, type Order, orders, payments } from "../../fixtures/tested_services.ts";

const SERVICES = [orders, payments, mail] as const;
const ORDER: Order = { id: 7, total: 30 };

async function withApp(test: (app: TestApp<typeof SERVICES>) => Promise<void>): Promise<void> {
  await using app = await testServices(SERVICES);
  await test(app);
}

Deno.test("waitFor() gives the arguments, the outcome and the id of a call", () =>
  withApp(async (app) => {
    await app.call("orders.place", ORDER, "quick");
    const { id, kind, args, kwargs, outcome } = await app.waitFor("orders.place");
    strictEqual(/^orders\.place\.[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/.test(id!), true, id);
    deepStrictEqual([kind, args, kwargs], ["rpc", [ORDER, "quick"], {}]);
    deepStrictEqual(outcome.ok && outcome.result.paid, 30);
    await app.client(payments).charge.kwargs({ total: 5 });
    const charged = await app.waitFor("payments.charge", { where: ({ kwargs }) => "total" in kwargs });
    deepStrictEqual(charged.kwargs, { total: 5 });
    await rejects(app.call("payments.charge", 2_000));
    const { outcome: declined } = await app.waitFor("payments.charge", {
      where: ({ outcome: { ok } }) => !ok,
    });
    strictEqual(!declined.ok && declined.expected && declined.error.name, "Declined");
  }));

Deno.test("waitFor() finds a call whether it has ended before or ends later", () =>
  withApp(async (app) => {
    const early = app.waitFor("mail.confirm");
    await app.call("orders.place", { id: 1, total: 1 });
    deepStrictEqual((await early).args, [{ id: 1, total: 1 }]);
    await app.call("orders.place", { id: 2, total: 1 });
    await app.idle();
    deepStrictEqual((await app.waitFor("mail.confirm")).args, [{ id: 2, total: 1 }]);
  }));

Deno.test("waitFor() gives each call once, the oldest first, to those whom it suits", () =>
  withApp(async (app) => {
    for (const id of [1, 2, 3]) await app.dispatch("orders", "placed", { id, total: id });
    const third = app.waitFor("mail.confirm", { where: ({ args: [{ id }] }) => id === 3 });
    const [first, second] = [app.waitFor("mail.confirm"), app.waitFor("mail.confirm")];
    deepStrictEqual((await Promise.all([first, second, third])).map(({ args: [{ id }] }) => id), [1, 2, 3]);
    deepStrictEqual(app.calls, []);
  }));

Deno.test("waitFor() counts each attempt of a call that is tried again", () =>
  withApp(async (app) => {
    await app.dispatch("orders", "placed", { id: -1, total: 0 });
    await app.waitFor("mail.confirm");
    const { outcome } = await app.waitFor("mail.confirm");
    strictEqual(!outcome.ok && outcome.error.message, "bad luck");
  }));

Deno.test("waitFor() gives up with a sentence that says what has happened", () =>
  withApp(async (app) => {
    await app.call("orders.place", ORDER);
    await rejects(app.waitFor("mail.send", { timeout: 1 }), {
      name: "TimeoutError",
      message:
        /^Cannot wait for a call of "mail\.send": none that suits has ended within 1 ms\. Ended: .*orders\.place/,
    });
    await rejects(app.waitFor("mail.send", { signal: AbortSignal.abort(new Error("enough")) }), /enough/);
    await rejects(
      app.waitFor("mail.sent" as "mail.send"),
      /no service here has this method\. Did you mean mail\.send/,
    );
    await rejects(
      app.waitFor("orders.place", {
        where: () => {
          throw new RangeError("in where");
        },
      }),
      /in where/,
    );
  }));

Deno.test("the end of the test ends what still waits, and the calls that still run", async () => {
  const entered = Promise.withResolvers<void>();
  const slow = service("slow", {
    entrypoints: { wait: rpc() },
    handlers: {
      wait({ call }) {
        entered.resolve();
        return new Promise<void>((resolve) => call.signal.addEventListener("abort", () => resolve()));
      },
    },
  });
  let waiting: Promise<unknown>;
  let call: Promise<unknown>;
  {
    await using app = await testServices([slow], { config: { grace: 0.01 } });
    waiting = rejects(app.waitFor("slow.wait"), { name: "AbortError", message: /have been stopped/ });
    call = rejects(app.call("slow.wait"));
    await entered.promise;
    await rejects(app.idle({ timeout: 1 }), /after 1 ms, slow\.wait runs/);
  }
  await waiting;
  await call;
});

Deno.test("idle() waits for events, for their handlers, and for retries that wait for their time", () =>
  withApp(async (app) => {
    await app.idle();
    void app.call("orders.place", ORDER);
    await app.idle();
    deepStrictEqual(app.calls.map(({ method }) => method).sort(), ["charge", "confirm", "place"]);
    await app.dispatch("orders", "placed", { id: -1, total: 0 });
    await app.idle();
    strictEqual(app.calls.filter(({ outcome }) => !outcome.ok).length, 2);
  }));
