import { strictEqual, throws } from "node:assert/strict";
import { type Injected, service } from "../../runtime/service/service.ts";
import { entrypoint } from "../../runtime/service/entrypoint.ts";
import { type Client, client, type ClientMethod, type PendingCall, rpc } from "../../extensions/rpc/mod.ts";
import type { Equal, Expect } from "./equality.ts";

const tick = () =>
  entrypoint<"tick", [], unknown>({
    kind: "tick",
    options: {},
    prepare: () => ({ decode: () => [], encode: () => undefined }),
  });

interface Order {
  readonly id: number;
  readonly note?: string;
}

class Receipt {
  readonly at = new Date(0);
  readonly lines: readonly (number | undefined)[] = [];
  readonly total: number;
  declare readonly coupon?: string;
  constructor(total: number) {
    this.total = total;
  }
  print(): void {}
}

const payments = service("payments", {
  entrypoints: {
    charge: rpc(),
    cancel: rpc(),
    find: rpc(),
    sweep: tick(),
    settle: [tick(), rpc()],
    never: rpc(),
  },
  handlers: {
    charge: async (_context, total: number, _order?: Order) => await Promise.resolve(new Receipt(total)),
    cancel(_context, _id: string) {},
    find: (_context, id: number): Order | undefined => (id === 1 ? { id } : undefined),
    sweep() {},
    settle: (_context, dry?: boolean) => dry ?? false,
    never(): never {
      throw new Error("never");
    },
  },
});

type Payments = Client<typeof payments>;

Deno.test("client() shows the RPC entries of a service and nothing else", () => {
  type _ = Expect<Equal<keyof Payments, "charge" | "cancel" | "find" | "settle" | "never">>;
  const spec = client<typeof payments>("payments", { timeout: 2_000 });
  type _Injected = Expect<Equal<Injected<typeof spec>, Payments>>;
  strictEqual(typeof spec.bind, "function");
});

Deno.test("client() takes what the handler takes after its context", () => {
  type _1 = Expect<Equal<Parameters<Payments["charge"]>, [total: number, _order?: Order | undefined]>>;
  type _2 = Expect<Equal<Parameters<Payments["find"]>, [id: number]>>;
  type _3 = Expect<Equal<Parameters<Payments["never"]>, []>>;
  type _4 = Expect<Equal<Parameters<Payments["settle"]>, [dry?: boolean | undefined]>>;
  strictEqual(payments.entrypoints.settle.length, 2);
});

Deno.test("client() gives results as they arrive over the wire", () => {
  type Charged = Awaited<ReturnType<Payments["charge"]>>;
  type _1 = Expect<
    Equal<Charged, {
      readonly at: string;
      readonly lines: readonly (number | null)[];
      readonly total: number;
      readonly coupon?: string;
    }>
  >;
  type _2 = Expect<Equal<Payments["cancel"], ClientMethod<[_id: string], null>>>;
  type _3 = Expect<
    Equal<Awaited<ReturnType<Payments["find"]>>, { readonly id: number; readonly note?: string } | null>
  >;
  type _4 = Expect<Equal<ReturnType<Payments["never"]>, Promise<never>>>;
  strictEqual(JSON.parse(JSON.stringify(new Receipt(3))).at, "1970-01-01T00:00:00.000Z");
});

Deno.test("client() does not compile with the name of another service", () => {
  // @ts-expect-error The service is called "payments".
  const spec = client<typeof payments>("paymets");
  strictEqual(typeof spec.bind, "function");
});

Deno.test("client() of a service without a type takes and gives anything", () => {
  const spec = client("legacy");
  type Legacy = Injected<typeof spec>;
  type _ = Expect<Equal<Legacy[string], ClientMethod<readonly unknown[], unknown>>>;
  strictEqual(typeof spec.bind, "function");
});

Deno.test("ClientMethod has with, start and kwargs of the same result", () => {
  type Charge = Payments["charge"];
  type Charged = Awaited<ReturnType<Charge>>;
  type _1 = Expect<Equal<ReturnType<Charge["with"]>, Charge>>;
  type _2 = Expect<Equal<ReturnType<Charge["start"]>, PendingCall<Charged>>>;
  type _3 = Expect<Equal<Parameters<Charge["start"]>, [total: number, _order?: Order | undefined]>>;
  type _4 = Expect<Equal<ReturnType<PendingCall<Charged>["result"]>, Promise<Charged>>>;
  type _5 = Expect<Equal<ReturnType<Charge["kwargs"]>, Promise<Charged>>>;
  type Switches = "idempotent" | "retry" | "circuit" | "bulkhead" | "rateLimit" | "fallback";
  type Wire =
    | "serializer"
    | "compression"
    | "priority"
    | "expiration"
    | "persistent"
    | "deliveryMode"
    | "bigints";
  type _6 = Expect<
    Equal<keyof Parameters<Charge["with"]>[0], "timeout" | "headers" | "signal" | "errors" | Switches | Wire>
  >;
  strictEqual(payments.name, "payments");
});

Deno.test("client() does not compile calls that the handler would refuse", () => {
  const shop = service("shop", {
    dependencies: { payments: client<typeof payments>("payments") },
    entrypoints: { buy: rpc() },
    handlers: {
      async buy({ payments }, total: number) {
        // @ts-expect-error The total is a number.
        await payments.charge(String(total));
        // @ts-expect-error The total is missing.
        await payments.charge();
        // @ts-expect-error A timer's method is no RPC method.
        await payments.sweep();
        // @ts-expect-error There is no such option.
        await payments.charge.with({ retries: 3 })(total);
        return (await payments.charge(total)).at;
      },
    },
  });
  type _ = Expect<Equal<Awaited<ReturnType<typeof shop.handlers.buy>>, string>>;
  strictEqual(shop.name, "shop");
});

Deno.test("client() cannot be called with two names", () => {
  throws(() => {
    // @ts-expect-error The options are an object.
    const { bind } = client("payments", null);
    bind({ config: {} } as never);
  }, TypeError);
});
