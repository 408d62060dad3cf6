import { strictEqual, throws } from "node:assert/strict";
import { client, type ClientMethod, rpc } from "../../extensions/rpc/mod.ts";
import { contract, type Injected, service } from "../../runtime/service/service.ts";
import type { Equal, Expect } from "./equality.ts";

interface Receipt {
  readonly total: number;
  readonly at: Date;
}

interface WiredReceipt {
  total: number;
  at: string;
}

const payments = contract("payments", {
  charge: rpc<(total: number) => Promise<Receipt>>(),
  refund: rpc<(receipt: string, reason?: string) => void>(),
});

const shipping = contract("shipping", { ship: rpc<(order: string) => boolean>() });

Deno.test("contract() keeps the name and the entrypoints in its type", () => {
  type _1 = Expect<Equal<typeof payments["name"], "payments">>;
  type _2 = Expect<Equal<keyof typeof payments["entrypoints"], "charge" | "refund">>;
  strictEqual(payments.name, "payments");
});

Deno.test("client() of a contract has the methods that its signatures say", () => {
  const spec = client(payments);
  type Payments = Injected<typeof spec>;
  type _1 = Expect<Equal<keyof Payments, "charge" | "refund">>;
  type _2 = Expect<Equal<Parameters<Payments["charge"]>, [total: number]>>;
  type Charged = Awaited<ReturnType<Payments["charge"]>>;
  type _3 = Expect<Equal<{ -readonly [Key in keyof Charged]: Charged[Key] }, WiredReceipt>>;
  type _4 = Expect<
    Equal<Payments["refund"], ClientMethod<[receipt: string, reason?: string | undefined], null>>
  >;
  strictEqual(typeof spec.bind, "function");
});

Deno.test("service() types the handlers of a contract without annotations", () => {
  const implementation = service(payments, {
    handlers: {
      charge(_context, total) {
        type _ = Expect<Equal<typeof total, number>>;
        return Promise.resolve({ total, at: new Date(0) });
      },
      refund(_context, receipt, reason) {
        type _1 = Expect<Equal<typeof receipt, string>>;
        type _2 = Expect<Equal<typeof reason, string | undefined>>;
      },
    },
  });
  type _1 = Expect<Equal<typeof implementation["name"], "payments">>;
  type _2 = Expect<Equal<typeof implementation["entrypoints"], typeof payments["entrypoints"]>>;
  strictEqual(implementation.name, "payments");
});

Deno.test("service() lets a contract's handler answer at once or later", () => {
  const implementation = service(payments, {
    handlers: { charge: (_context, total) => ({ total, at: new Date(0) }), async refund() {} },
  });
  strictEqual(implementation.name, "payments");
});

Deno.test("service() does not compile with a result that the contract does not promise", () => {
  const implementation = service(payments, {
    handlers: {
      // @ts-expect-error The contract promises a receipt.
      charge: (_context, total) => String(total),
      refund() {},
    },
  });
  strictEqual(implementation.name, "payments");
});

Deno.test("service() does not compile without the handlers of its contract", () => {
  throws(() =>
    service(payments, {
      // @ts-expect-error The handler "refund" is missing.
      handlers: { charge: (_context, total) => ({ total, at: new Date(0) }) },
    }), TypeError);
});

Deno.test("service() does not compile with a handler that its contract lacks", () => {
  throws(() =>
    service(shipping, {
      handlers: {
        ship: () => true,
        // @ts-expect-error The contract has no entry "track".
        track() {},
      },
    }), TypeError);
});

Deno.test("client() types two services that call each other through their contracts", () => {
  const payer = service(payments, {
    dependencies: { shipping: client(shipping) },
    handlers: {
      async charge({ shipping }, total) {
        const shipped = await shipping.ship(String(total));
        type _ = Expect<Equal<typeof shipped, boolean>>;
        return { total, at: new Date(0) };
      },
      refund() {},
    },
  });
  const shipper = service(shipping, {
    dependencies: { payments: client(payments) },
    handlers: {
      async ship({ payments }, order) {
        const { at } = await payments.charge(order.length);
        type _ = Expect<Equal<typeof at, string>>;
        return at !== "";
      },
    },
  });
  strictEqual(payer.name, "payments");
  strictEqual(shipper.name, "shipping");
});
