import { deepStrictEqual } from "node:assert/strict";
import { entrypointRows } from "../../extensions/cli/view/service_listing.ts";

Deno.test("entrypointRows() says which queue a method consumes, also one without a name", () => {
  const options = { topology: {}, prefetch: 1 };
  const entrypoints = [
    { method: "named", kind: "consume", options: { queue: "invoices", ...options } },
    { method: "own", kind: "consume", options: { unnamedQueue: 0, ...options } },
  ];
  deepStrictEqual(entrypointRows({ entrypoints }), [
    ["consume", "named", 'queue="invoices" prefetch=1'],
    ["consume", "own", "queue=(one of each instance) prefetch=1"],
  ]);
});

Deno.test("entrypointRows() shows parameters, and that a method takes keyword arguments as an object", () => {
  const entrypoints = [
    { method: "place", kind: "rpc", options: { params: ["order"] } },
    { method: "list", kind: "rpc", options: { params: { kwargs: true } } },
  ];
  deepStrictEqual(entrypointRows({ entrypoints }), [
    ["rpc", "place(order)", ""],
    ["rpc", "list(**kwargs)", ""],
  ]);
});
