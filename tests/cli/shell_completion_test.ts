import assert from "node:assert/strict";
import { complete } from "../../extensions/cli/shell/completion.ts";
import { KnownServices, type LiveServices } from "../../extensions/cli/shell/services.ts";

const SERVICES: LiveServices = () =>
  Promise.resolve([
    { service: "orders", methods: ["place", "plan", "list"] },
    { service: "old-orders", methods: ["list", "then-some"] },
  ]);

const SCOPE = {
  value: { first: { second: 1 }, "not a name": 1 },
  get trap(): never {
    throw new Error("A completion has run a getter");
  },
};

/** Lines, and what their ends could become. */
const COMPLETIONS: readonly (readonly [line: string, candidates: readonly string[]])[] = [
  ["n.rpc.", ["n.rpc.orders", 'n.rpc["old-orders"]']],
  ["await n.rpc.or", ["n.rpc.orders"]],
  ["n.rpc.old", ['n.rpc["old-orders"]']],
  ['n.rpc["o', ['n.rpc["orders"]', 'n.rpc["old-orders"]']],
  ["f(n.rpc.orders.pl", ["n.rpc.orders.place", "n.rpc.orders.plan"]],
  ['n.rpc["old-orders"].', ['n.rpc["old-orders"].list', 'n.rpc["old-orders"]["then-some"]']],
  ["n.rpc.nobody.", []],
  ["n.rpc.orders.with.", []],
  ["n.di", ["n.dispatch_event", "n.dispatchEvent", "n.disconnect"].sort()],
  ["value.fi", ["value.first"]],
  ["[value.first.sec", ["value.first.second"]],
  ["value.no", []],
  ["trap.a", []],
  ["value.first.second.toF", ["value.first.second.toFixed"]],
  ["encodeURIC", ["encodeURIComponent"]],
  [".h", [".help"]],
  ["f().", []],
  ["'text", []],
  ["", []],
];

for (const [line, candidates] of COMPLETIONS) {
  Deno.test(`complete() of ${JSON.stringify(line)}`, async () => {
    using known = new KnownServices(SERVICES);
    const [found, end] = await complete(line, {
      scope: SCOPE,
      known,
      commands: [".help", ".exit"],
    });
    assert.deepEqual(found, candidates);
    assert.ok(line.endsWith(end));
  });
}

Deno.test("KnownServices.list() has what was called, where nobody can tell what is alive", async () => {
  using known = new KnownServices(() => Promise.reject(new Error("nobody")));
  known.remember("orders", ["place"]);
  assert.deepEqual(await known.list(), new Map([["orders", new Set(["place"])]]));
});

Deno.test("KnownServices.list() does not wait long for those who never answer", async () => {
  using known = new KnownServices((signal) =>
    new Promise((_, reject) => signal.addEventListener("abort", () => reject(signal.reason)))
  );
  known.remember("orders", ["place"]);
  assert.deepEqual(await known.list(), new Map([["orders", new Set(["place"])]]));
});

Deno.test("KnownServices asks once for several completions in a row", async () => {
  let asked = 0;
  using known = new KnownServices((signal) => {
    asked++;
    return SERVICES(signal);
  });
  known.refresh();
  await Promise.all([known.list(), known.list()]);
  await known.list();
  assert.equal(asked, 1);
});
