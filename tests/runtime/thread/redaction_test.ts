import { deepStrictEqual } from "node:assert/strict";
import type { Parameter } from "../../../runtime/service/declared/parameters.ts";
import { MASK } from "../../../runtime/log/secrets.ts";
import { redactedArguments } from "../../../runtime/thread/redaction.ts";

const named = (...names: readonly (string | undefined)[]): Parameter[] =>
  names.map((name) => ({ name, optional: false, rest: false }));

Deno.test("redactedArguments() names the arguments, by place where they have no name", () => {
  deepStrictEqual(redactedArguments(named("user", undefined), ["ann", { a: 1 }, 3], []), {
    user: "ann",
    "#1": { a: 1 },
    "#2": 3,
  });
  deepStrictEqual(redactedArguments(undefined, ["ann"], []), { "#0": "ann" });
});

Deno.test("redactedArguments() masks whole arguments", () => {
  deepStrictEqual(redactedArguments(named("user", "password"), ["ann", "secret"], ["password"]), {
    user: "ann",
    password: MASK,
  });
});

Deno.test("redactedArguments() masks by path into objects and arrays", () => {
  const shown = redactedArguments(named("order"), [{
    card: { number: 1, name: "A" },
    rows: [{ secret: 2, n: 3 }],
  }], [
    "order.card.number",
    "order.rows.0.secret",
  ]);
  deepStrictEqual(shown, { order: { card: { number: MASK, name: "A" }, rows: [{ secret: MASK, n: 3 }] } });
});

Deno.test("redactedArguments() leaves the handler's arguments as they are", () => {
  const order = Object.freeze({ card: Object.freeze({ number: 1 }) });
  redactedArguments(named("order"), [order], ["order.card.number"]);
  deepStrictEqual(order, { card: { number: 1 } });
});

Deno.test("redactedArguments() lets paths lead nowhere", () => {
  deepStrictEqual(redactedArguments(named("a", "b"), [1], ["a.b.c", "b", "b.c"]), { a: 1 });
  deepStrictEqual(redactedArguments(named("a"), [null], ["a.toString"]), { a: null });
});

Deno.test("redactedArguments() masks every one of the remaining arguments", () => {
  const parameters: Parameter[] = [...named("user"), { name: "secrets", optional: true, rest: true }];
  deepStrictEqual(redactedArguments(parameters, ["ann", 1, 2], ["secrets"]), { user: "ann", secrets: MASK });
});

Deno.test("redactedArguments() masks all where it cannot tell which is meant", () => {
  deepStrictEqual(redactedArguments(named("a", "b"), [1, 2], ["password"]), { a: MASK, b: MASK });
  deepStrictEqual(redactedArguments(undefined, [1, 2], ["password.hash"]), { "#0": MASK, "#1": MASK });
});
