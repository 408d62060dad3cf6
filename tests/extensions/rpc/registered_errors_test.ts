import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { type ErrorClass, registeredErrors } from "../../../extensions/rpc/registered_errors.ts";
import { connect, run } from "../../../extensions/run.ts";
import { client, RemoteError, rpc, service } from "../../../mod.ts";
import { configureLogging } from "../../../runtime/log/observe.ts";

configureLogging({ write: () => {} });

/** As its service has it. */
class SoldOut extends Error {
  readonly code = "SOLD_OUT";
  readonly status = 409;
  readonly data: { readonly left: number };
  constructor(title: string, left: number) {
    super(`${title} is sold out`);
    this.data = { left };
  }
}

class Named extends Error {
  static {
    this.prototype.name = "NameOnTheWire";
  }
}

class Unnamed extends Error {}

const shop = service("enoki_test_errors_shop", {
  entrypoints: { sell: rpc(), name: rpc(), other: rpc() },
  handlers: {
    sell: (_ctx, title: string) => {
      throw new SoldOut(title, 3);
    },
    name: () => {
      throw new Named("named");
    },
    other: () => {
      throw new Unnamed("other");
    },
  },
});

const desk = service("enoki_test_errors_desk", {
  dependencies: {
    shop: client<typeof shop>("enoki_test_errors_shop", { errors: [SoldOut] }),
  },
  entrypoints: { relay: rpc(), settle: rpc() },
  handlers: {
    relay: ({ shop }) => shop.sell("tea"),
    settle: async ({ shop }) => {
      try {
        return await shop.sell("tea");
      } catch (error) {
        return error instanceof SoldOut ? error.data.left : "not of the class";
      }
    },
  },
});

/** Returns what a promise rejects with. */
async function thrownBy(promise: Promise<unknown>): Promise<Error> {
  try {
    await promise;
  } catch (error) {
    return error as Error;
  }
  throw new Error("it did not fail");
}

Deno.test("Errors that a caller has registered come back as their classes", async (t) => {
  const broker = new MemoryBroker();
  await using running = await run([shop, desk], { broker: memory({ broker }) });
  await using cluster = await connect({ broker: memory({ broker }) });
  assert.equal(running.containers.size, 2);
  const errors = [SoldOut, Named];
  const known = cluster.client<typeof shop>("enoki_test_errors_shop", { errors });

  await t.step("with message, code, data, status and the remote error as the cause", async () => {
    const error = await thrownBy(known.sell("tea"));
    assert.ok(error instanceof SoldOut);
    assert.deepEqual([error.message, error.code, error.data, error.status], [
      "tea is sold out",
      "SOLD_OUT",
      { left: 3 },
      409,
    ]);
    assert.ok(error.cause instanceof RemoteError);
    assert.match(error.stack ?? "", /^SoldOut: tea is sold out|^Error: tea is sold out/);
  });

  await t.step("by the name that the prototype defines", async () => {
    assert.ok(await thrownBy(known.name()) instanceof Named);
  });

  await t.step("and others stay RemoteErrors with their names", async () => {
    const error = await thrownBy(known.other());
    assert.ok(error instanceof RemoteError);
    assert.equal(error.remoteName, "Unnamed");
  });

  await t.step("for one call alone", async () => {
    const plain = cluster.client<typeof shop>("enoki_test_errors_shop");
    assert.ok(await thrownBy(plain.sell("tea")) instanceof RemoteError);
    assert.ok(await thrownBy(plain.sell.with({ errors })("tea")) instanceof SoldOut);
  });

  await t.step("in a handler, from which they go on under their own names", async () => {
    const relay = cluster.client<typeof desk>("enoki_test_errors_desk", { errors });
    assert.equal(await relay.settle(), 3);
    const error = await thrownBy(relay.relay());
    assert.ok(error instanceof SoldOut);
    assert.deepEqual([error.code, error.data], ["SOLD_OUT", { left: 3 }]);
  });
});

Deno.test("registeredErrors() refuses what is no class of errors, and two of one name", () => {
  const refused: readonly (readonly [unknown, RegExp])[] = [
    [[{}], /no class that extends Error/],
    [[() => new Error()], /no class that extends Error/],
    [[class Plain {}], /no class that extends Error/],
    [[SoldOut, class SoldOut extends Error {}], /two of the classes are called "SoldOut"/],
    [SoldOut, /they are no array/],
  ];
  for (const [errors, message] of refused) {
    assert.throws(() => registeredErrors(errors as readonly ErrorClass[]), { name: "TypeError", message });
    assert.throws(() => client("x", { errors: errors as readonly ErrorClass[] }), { message });
  }
});
