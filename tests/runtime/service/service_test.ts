import { deepStrictEqual, strictEqual, throws } from "node:assert/strict";
import { provider } from "../../../runtime/service/dependency.ts";
import { type AnyEntrypoint, entrypoint } from "../../../runtime/service/entrypoint.ts";
import { contract, entrypointsOf, isService, service } from "../../../runtime/service/service.ts";

const tick = (): AnyEntrypoint =>
  entrypoint({
    kind: "tick",
    options: { interval: 1 },
    prepare: () => ({ decode: () => [], encode: () => undefined }),
  });

/** What the compiler would refuse, as plain JavaScript may do it. */
const unchecked = service as (name: unknown, definition: unknown) => unknown;

const REFUSED: readonly (readonly [name: unknown, definition: unknown, complaint: RegExp])[] = [
  ["", { handlers: {} }, /a name is one word/],
  ["a.b", { handlers: {} }, /"a\.b": a name is one word/],
  ["a b", { handlers: {} }, /a name is one word/],
  ["a*", { handlers: {} }, /a name is one word/],
  ["#", { handlers: {} }, /a name is one word/],
  ["a", { entrypoints: { "b.c": tick() }, handlers: { "b.c"() {} } }, /"b\.c" cannot be a method's name/],
  ["a", { entrypoints: { then: tick() }, handlers: { then() {} } }, /"then" cannot be a method's name/],
  ["a", { entrypoints: { one: {} }, handlers: { one() {} } }, /entry "one" is not an entrypoint/],
  ["a", { entrypoints: { one: [tick(), null] }, handlers: { one() {} } }, /entry "one" is not an entrypoint/],
  ["a", { entrypoints: { one: tick() } }, /service "a": "handlers" is missing/],
  ["a", undefined, /service "a": "handlers" is missing/],
  ["a", { entrypoints: { one: tick() }, handlers: {} }, /entry "one" has no handler/],
  ["a", { entrypoints: { one: tick() }, handlers: { one: 1 } }, /entry "one" has no handler/],
  ["a", { entrypoints: { toString: tick() }, handlers: {} }, /entry "toString" has no handler/],
  [
    "a",
    { entrypoints: { constructor: tick() }, handlers: new (class A {})() },
    /entry "constructor" has no handler/,
  ],
  ["a", { entrypoints: {}, handlers: { one() {} } }, /handler "one" has no entrypoint/],
  ["a", { dependencies: { call: provider({ get: () => 1 }) }, handlers: {} }, /reserves the key "call"/],
  ["a", { dependencies: { db: {} }, handlers: {} }, /dependency "db" is none, make it with provider\(\)/],
  ["a", { handlers: {}, module: "./orders.ts" }, /"module" must be the URL .* module: import\.meta\.url/],
];

Deno.test("service() refuses what cannot be served, and says why", () => {
  for (const [name, definition, complaint] of REFUSED) {
    throws(() => unchecked(name, definition), { name: "TypeError", message: complaint });
    throws(() => unchecked(name, definition), { message: /^Cannot define service "/ });
  }
});

Deno.test("service() takes names of any script, with dashes and underscores", () => {
  for (const name of ["greeting_service", "order-desk", "zahlungen", "größe", "服务"]) {
    strictEqual(service(name, { entrypoints: { one: tick() }, handlers: { one() {} } }).name, name);
  }
});

Deno.test("service() is inert: it calls nothing that it is given", () => {
  const never = () => {
    throw new Error("called");
  };
  const clock = provider(never);
  const inert = service("inert", {
    dependencies: { clock },
    entrypoints: { one: entrypoint({ kind: "tick", options: {}, prepare: never }) },
    handlers: { one: never },
  });
  strictEqual(inert.dependencies.clock, clock);
});

Deno.test("service() implements a contract with the contract's name and entrypoints", () => {
  const offered = contract("offered", { one: tick() });
  const implemented = service(offered, { handlers: { one() {} } });
  strictEqual(implemented.name, "offered");
  strictEqual(implemented.entrypoints, offered.entrypoints);
});

Deno.test("contract() refuses the names that service() refuses", () => {
  // @ts-expect-error A name is one word.
  throws(() => contract("a.b", {}), TypeError);
  throws(() => contract("a", { "b c": tick() }), TypeError);
});

Deno.test("isService() knows services, of whatever copy of the library", () => {
  const made = service("made", { entrypoints: { one: tick() }, handlers: { one() {} } });
  strictEqual(isService(made), true);
  strictEqual(isService({ [Symbol.for("enoki.definition")]: "service" }), true);
  for (
    const other of [
      contract("c", {}),
      tick(),
      provider({ get: () => 1 }),
      {},
      null,
      undefined,
      "service",
    ]
  ) {
    strictEqual(isService(other), false);
  }
});

Deno.test("entrypointsOf() gives one or several as a list", () => {
  const [one, two] = [tick(), tick()];
  deepStrictEqual(entrypointsOf(one), [one]);
  deepStrictEqual(entrypointsOf([one, two]), [one, two]);
});

Deno.test("entrypoint() fills in what all kinds share", () => {
  const { kind, options, expected, redact } = tick();
  deepStrictEqual({ kind, options, expected, redact }, {
    kind: "tick",
    options: { interval: 1 },
    expected: [],
    redact: [],
  });
});

Deno.test("service() refuses a generator as the handler of an entrypoint that streams nothing", () => {
  const handlers = [function* () {}, async function* () {}, { async *tick() {} }.tick];
  for (const handler of handlers) {
    throws(
      () => service("ticking", { entrypoints: { tick: tick() }, handlers: { tick: handler } }),
      /handler of "tick" is a generator, which an entrypoint of kind "tick" would never run/,
    );
  }
});

Deno.test("service() takes the handlers of an instance from all of its classes, beside its fields", () => {
  class Base {
    one(): number {
      return 1;
    }
  }
  class Handlers extends Base {
    readonly state: Map<string, number> = new Map();
    two = (): number => this.state.size;
    #three(): void {}
    private four = () => this.#three();
    private five(): void {
      this.four();
    }
    six(): void {
      this.five();
    }
  }
  const handlers = new Handlers();
  const made = service("instance", { entrypoints: { one: tick(), two: tick(), six: tick() }, handlers });
  strictEqual(made.handlers, handlers);
});
