import { strictEqual } from "node:assert/strict";
import { rpc } from "../../extensions/rpc/mod.ts";
import { provider } from "../../runtime/service/dependency.ts";
import type { AddedBy, AnyHook, Hook } from "../../runtime/service/hook.ts";
import { service } from "../../runtime/service/service.ts";
import { testContext } from "../../extensions/testing/mod.ts";
import type { Equal, Expect } from "./equality.ts";

interface User {
  readonly name: string;
}

const authenticate: Hook<{ user: User }> = (_call, next) => next({ user: { name: "ada" } });
const audit: Hook = (_call, next) => next();

Deno.test("service() types the context by what its hooks add", () => {
  const guarded = service("guarded", {
    dependencies: { clock: provider({ get: () => new Date(0) }) },
    around: [authenticate, audit],
    entrypoints: { me: rpc() },
    handlers: {
      me({ user, clock }, suffix: string) {
        type _1 = Expect<Equal<typeof user, User>>;
        type _2 = Expect<Equal<typeof clock, Date>>;
        return user.name + suffix;
      },
    },
  });
  const context = testContext(guarded, { user: { name: "bob" }, clock: new Date(0) });
  strictEqual(guarded.handlers.me(context, "!"), "bob!");
});

Deno.test("AddedBy of no hooks adds nothing", () => {
  type _1 = Expect<Equal<AddedBy<readonly []>, unknown>>;
  type _2 = Expect<Equal<AddedBy<readonly [Hook<{ a: 1 }>, Hook<{ b: 2 }>]>, { a: 1 } & { b: 2 }>>;
  const hooks: readonly AnyHook[] = [authenticate, audit];
  strictEqual(hooks.length, 2);
});

Deno.test("Hook does not compile without what it must add", () => {
  // @ts-expect-error The user is missing.
  const forgetful: Hook<{ user: User }> = (_call, next) => next();
  strictEqual(typeof forgetful, "function");
});

Deno.test("provider() infers the values of the dependencies that it uses", () => {
  const shop = provider({
    get(_call, { clock }) {
      type _ = Expect<Equal<typeof clock, Date>>;
      return clock.getTime();
    },
  }, { uses: { clock: provider({ get: () => new Date(0) }) } });
  strictEqual(typeof shop.uses, "object");
});
