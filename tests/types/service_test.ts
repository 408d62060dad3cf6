import { strictEqual, throws } from "node:assert/strict";
import type { Call } from "../../runtime/service/call.ts";
import { type Context, type Injected, type Service, service } from "../../runtime/service/service.ts";
import { provider } from "../../runtime/service/dependency.ts";
import { client, rpc } from "../../extensions/rpc/mod.ts";
import type { Equal, Expect } from "./equality.ts";

const clock = provider({ get: () => new Date(0) });
const greeting = provider(() => ({ get: () => Promise.resolve("Hello") }));

Deno.test("service() types the context of a handler without dependencies", () => {
  const plain = service("plain", {
    entrypoints: { id: rpc() },
    handlers: {
      id(context) {
        type _1 = Expect<Equal<keyof typeof context, "call">>;
        type _2 = Expect<Equal<typeof context.call, Call>>;
        return context.call.id;
      },
    },
  });
  strictEqual(plain.name, "plain");
});

Deno.test("service() types the context of a handler with dependencies", () => {
  const dependent = service("dependent", {
    dependencies: { clock, greeting },
    entrypoints: { hello: rpc(), sync: rpc() },
    handlers: {
      hello({ clock, greeting, call }, name: string) {
        type _1 = Expect<Equal<typeof clock, Date>>;
        type _2 = Expect<Equal<typeof greeting, string>>;
        type _3 = Expect<Equal<typeof call, Call>>;
        return `${greeting}, ${name}`;
      },
      sync: ({ clock }) => clock.getTime(),
    },
  });
  type Dependencies = { readonly clock: typeof clock; readonly greeting: typeof greeting };
  type _ = Expect<Equal<Context<Dependencies>["greeting"], string>>;
  strictEqual(dependent.handlers.sync({ clock: new Date(7), greeting: "", call: {} as Call }), 7);
});

Deno.test("service() keeps the name and the exact handlers in its type", () => {
  const adder = service("adder", {
    entrypoints: { add: rpc() },
    handlers: { add: (_context, a: number, b: number) => a + b },
  });
  type _1 = Expect<Equal<typeof adder["name"], "adder">>;
  type _2 = Expect<Equal<keyof typeof adder.handlers, "add">>;
  type _3 = Expect<Equal<ReturnType<typeof adder.handlers.add>, number>>;
  strictEqual(adder.handlers.add({ call: {} as Call }, 1, 2), 3);
});

Deno.test("service() does not compile with an RPC parameter without an annotation", () => {
  const careless = service("careless", {
    entrypoints: { echo: rpc(), last: rpc(), first: rpc(), fine: rpc() },
    handlers: {
      // @ts-expect-error The value has no type.
      echo(_context, value) {
        type _ = Expect<Equal<typeof value, never>>;
        return value;
      },
      // @ts-expect-error The second value has no type.
      last: (_context, one: number, two) => [one, two],
      // @ts-expect-error The first value has no type.
      first: (_context, one, two: number) => [one, two],
      fine: (_context, one: number, two = 2, ...others: readonly string[]) => [one, two, others],
    },
  });
  strictEqual(careless.name, "careless");
});

Deno.test("service() does not compile without a handler for each entry", () => {
  throws(() =>
    service("half", {
      entrypoints: { one: rpc(), two: rpc() },
      // @ts-expect-error The handler "two" is missing.
      handlers: { one() {} },
    }), TypeError);
});

Deno.test("service() does not compile with a handler that the table lacks", () => {
  throws(() =>
    service("more", {
      entrypoints: { one: rpc() },
      handlers: {
        one() {},
        // @ts-expect-error The table has no entry "two".
        two() {},
      },
    }), TypeError);
});

Deno.test("service() does not compile with a dependency called call", () => {
  throws(() =>
    service("reserved", {
      dependencies: {
        // @ts-expect-error The context reserves the key "call".
        call: clock,
      },
      entrypoints: { one: rpc() },
      handlers: { one() {} },
    }), TypeError);
});

Deno.test("service() does not compile with a dependency that is none", () => {
  throws(() =>
    service("raw", {
      dependencies: {
        // @ts-expect-error A bare value is not a dependency.
        clock: new Date(0),
      },
      entrypoints: { one: rpc() },
      handlers: { one() {} },
    }), TypeError);
});

Deno.test("service() does not compile with an entry that is no entrypoint", () => {
  throws(() =>
    service("wrong", {
      entrypoints: {
        // @ts-expect-error A text is not an entrypoint.
        one: "rpc",
      },
      handlers: { one() {} },
    }), TypeError);
});

Deno.test("service() takes several entrypoints for one method", () => {
  const several = service("several", {
    entrypoints: { sweep: [rpc(), rpc<(depth: number) => string>()] },
    handlers: {
      sweep(_context, depth: number) {
        return String(depth);
      },
    },
  });
  type _ = Expect<Equal<Parameters<typeof several.handlers.sweep>[1], number>>;
  strictEqual(several.entrypoints.sweep.length, 2);
});

Deno.test("service() gives a value that any Service parameter takes", () => {
  const taken: Service = service("taken", {
    dependencies: { clock },
    entrypoints: { now: rpc() },
    handlers: { now: ({ clock }, zone: string) => `${clock} ${zone}` },
  });
  strictEqual(taken.name, "taken");
});

class Greeter {
  /** State, and no handler. */
  greetings = 0;
  greet({ clock }: { readonly clock: Date }, name: string, mark?: string): string {
    this.greetings++;
    return `${name}${mark ?? "!"} ${clock.getTime()}`;
  }
}

Deno.test("service() takes an instance of a class, whose methods type the clients", () => {
  const greeter = service("greeter", {
    dependencies: { clock },
    entrypoints: { greet: rpc() },
    handlers: new Greeter(),
  });
  const caller = client<typeof greeter>("greeter");
  type Greet = Injected<typeof caller>["greet"];
  type _1 = Expect<Equal<Parameters<Greet>, [name: string, mark?: string | undefined]>>;
  type _2 = Expect<Equal<typeof greeter.handlers, Greeter>>;
  const any: Service = greeter;
  strictEqual(any.handlers, greeter.handlers);
});

Deno.test("service() does not compile with an instance whose class has another public method", () => {
  class More extends Greeter {
    more(): void {}
  }
  service("more", {
    dependencies: { clock },
    entrypoints: { greet: rpc() },
    // @ts-expect-error The table has no entry "more".
    handlers: new More(),
  });
});
