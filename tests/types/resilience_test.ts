import { strictEqual } from "node:assert/strict";
import { client, contract, rpc, service } from "../../mod.ts";

const payments = service("payments", {
  entrypoints: { charge: rpc(), find: rpc(), ready: rpc() },
  handlers: {
    charge: (_context, total: number) => ({ total, at: new Date(0) }),
    find: (_context, _id: string): number | undefined => undefined,
    ready: () => true,
  },
});

const shop = contract("shop", { count: rpc<(item: string) => Promise<number>>() });

Deno.test("fallbacks have the types of their methods", () => {
  const spec = client<typeof payments>("payments", {
    idempotent: ["find"],
    methods: {
      charge: { fallback: (_error, { args: [total] }) => ({ total, at: "" }) },
      find: { fallback: 5, retry: { max: 1 } },
      ready: { fallback: false },
    },
  });
  client(shop, { fallback: 0, idempotent: ["count"] });
  client(shop, { fallback: (error, { args: [item] }) => error.message.length + item.length });
  client("untyped", { fallback: { any: 1 }, idempotent: ["any"], methods: { any: { timeout: 1 } } });
  strictEqual(spec.kind, "client");
});

Deno.test("policies that do not fit do not compile", () => {
  const _uses = () => {
    // @ts-expect-error: charge results in an object
    client<typeof payments>("payments", { methods: { charge: { fallback: 5 } } });
    // @ts-expect-error: there is no such method
    client<typeof payments>("payments", { idempotent: ["refund"] });
    // @ts-expect-error: there is no such method
    client<typeof payments>("payments", { methods: { refund: { fallback: 5 } } });
    // @ts-expect-error: no value fits all methods
    client<typeof payments>("payments", { fallback: 5 });
    // @ts-expect-error: count results in a number
    client(shop, { fallback: "none" });
    // @ts-expect-error: a bulkhead needs its size
    client(shop, { bulkhead: {} });
  };
  strictEqual(typeof _uses, "function");
});

Deno.test("a call switches policies off, and has no limits of its own", () => {
  service("caller", {
    dependencies: { payments: client<typeof payments>("payments", { retry: {}, circuit: {} }) },
    entrypoints: { go: rpc() },
    handlers: {
      go({ payments }) {
        void (() => payments.find.with({ idempotent: true, circuit: false, fallback: 3, timeout: 1 })("a"));
        void (() => payments.find.with({ fallback: undefined })("a"));
        // @ts-expect-error: find results in a number
        void (() => payments.find.with({ fallback: "none" })("a"));
        // @ts-expect-error: a call has no circuit of its own
        void (() => payments.find.with({ circuit: { failures: 1 } })("a"));
      },
    },
  });
  strictEqual(payments.name, "payments");
});
