import { deepStrictEqual, equal, rejects, throws } from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, type Connection, run, type RunOptions } from "../../../extensions/run.ts";
import { config, type PlainRecord, rpc as rpcEntrypoint } from "../../../mod.ts";
import { entry, fromContext, inject, rpc } from "../../../extensions/decorators.ts";
import { serviceOf } from "../../../runtime/service/service.ts";
import { silenceLogging } from "./stage.ts";
import { ModuleOrigin } from "../../fixtures/module_origin.ts";
import { Peer } from "../stream/stream_stage.ts";
import Orders, { Stock } from "./classes.ts";

const CLASSES = new URL("./classes.ts", import.meta.url);

silenceLogging();

interface Method {
  (...args: readonly unknown[]): Promise<unknown>;
  kwargs(named: Readonly<Record<string, unknown>>): Promise<unknown>;
}

type Methods = Readonly<Record<string, Method>>;

async function withClasses(
  module: string,
  options: RunOptions,
  test: (orders: Methods, connection: Connection) => Promise<void>,
): Promise<void> {
  const broker = new MemoryBroker();
  const config = { modules: { cache: false }, max_workers: 2 };
  await using _running = await run([module], { broker: memory({ broker }), config, ...options });
  await using connection = await connect({ broker: memory({ broker }) });
  await test(connection.client("orders") as unknown as Methods, connection);
}

/** What a class service answers, wherever its module comes from. */
async function answersAsWritten(orders: Methods): Promise<void> {
  const placed = ["tea", "1 × tea", "Ada"];
  deepStrictEqual(await orders["place"]!("tea"), [...placed, null, "place"]);
  deepStrictEqual(await orders["place"]!.kwargs({ note: "hot", item: "tea" }), [...placed, "hot", "place"]);
  await rejects(orders["place"]!(), /place\(\) missing 1 required positional argument: 'item'/);
  await rejects(orders["place"]!.kwargs({ item: "tea", cup: 1 }), /unexpected keyword argument 'cup'/);
  equal(await orders["closes"]!(), "at six");
}

for (const kind of ["web", "node", "inline"] as const) {
  Deno.test(`a class serves its methods in ${kind} threads, by position and by name`, async () => {
    const threads = { kind, permissions: kind === "web" ? "none" : "all" } as const;
    await withClasses(CLASSES.pathname, { threads }, answersAsWritten);
  });
}

Deno.test("a class serves its methods from a bundle", async () => {
  await withClasses(CLASSES.pathname, { bundle: true, threads: { kind: "web" } }, answersAsWritten);
});

Deno.test("a class serves its methods by URL", async () => {
  await using origin = new ModuleOrigin({ "/classes.ts": await Deno.readTextFile(CLASSES) });
  await withClasses(origin.url("/classes.ts"), { threads: { kind: "web" } }, answersAsWritten);
});

Deno.test("calls that run at the same time in one thread share no field", async () => {
  const threads = { kind: "node", permissions: "all" } as const;
  const config = { max_workers: 1, concurrency: 10, modules: { cache: false } };
  await withClasses(CLASSES.pathname, { threads, config }, async (orders) => {
    const items = Array.from({ length: 10 }, (_, n) => `item ${n}`);
    deepStrictEqual(
      await Promise.all(items.map((item) => orders["place"]!(item))),
      items.map((item) => [item, `1 × ${item}`, "Ada", null, "place"]),
    );
  });
});

Deno.test("a method handles a stream through @entry", async () => {
  const module = new URL("./echo_class.ts", import.meta.url).pathname;
  const threads = { kind: "node", permissions: "all" } as const;
  await using running = await run([module], { broker: memory(), threads });
  using peer = await Peer.connect(running.streams[0]!);
  await peer.send("hello\nagain\n");
  await peer.lineWith("1 hello");
  await peer.lineWith("2 again");
});

Deno.test("a method without decorators takes the entrypoints off the one that it overrides", async () => {
  const service = serviceOf(Orders)!;
  deepStrictEqual(Object.keys(service.entrypoints).sort(), ["check", "closes", "place"]);
  const threads = { kind: "node", permissions: "all" } as const;
  await withClasses(CLASSES.pathname, { threads }, async (orders) => {
    await rejects(orders["where"]!(), /where/);
  });
});

Deno.test("a class is an ordinary service, and the same one each time", () => {
  const service = serviceOf(Orders)!;
  equal(service, serviceOf(Orders));
  equal(service.name, "orders");
  deepStrictEqual(Object.keys(service.dependencies), ["stock"]);
  const kinds = [service.entrypoints["check"]!].flat().map(({ kind }) => kind);
  deepStrictEqual(kinds, ["timer", "event"]);
  deepStrictEqual([service.entrypoints["place"]!].flat().map(({ expected }) => expected), [[
    "EmptyOrderError",
  ]]);
  equal(serviceOf(class {}), undefined);
});

Deno.test("an instance that no call has made keeps what a test gives it", async () => {
  const orders = Object.assign(new Orders(), {
    stock: { take: (item: string) => Promise.resolve(`a ${item}`) },
    customer: "Bob",
    call: { method: "test" },
  });
  deepStrictEqual(await orders.place("tea"), ["tea", "a tea", "Bob", null, "test"]);
  equal(new Stock().take("tea", 2), "2 × tea");
});

Deno.test("an instance that a constructor makes is not that of the call", async () => {
  class Helper {
    static readonly name = "helper";
    @fromContext
    call?: unknown;
  }
  class Outer {
    static readonly name = "outer";
    @fromContext
    call?: unknown;
    readonly helper = new Helper();
    @rpc
    calls(): readonly unknown[] {
      return [this.call, this.helper.call];
    }
  }
  const { calls } = serviceOf(Outer)!.handlers as { calls(context: unknown): Promise<unknown> };
  deepStrictEqual(await calls({ call: "the call" }), ["the call", undefined]);
});

Deno.test("an inherited name is the name, and the name of the class itself is none", () => {
  class Base {
    static readonly name: string = "base";
    @rpc
    hello(): void {}
  }
  class Derived extends Base {}
  class Named extends Base {
    static override readonly name = "named";
  }
  class Nameless {
    @rpc
    hello(): void {}
  }
  equal(serviceOf(Derived)!.name, "base");
  equal(serviceOf(Named)!.name, "named");
  throws(() => serviceOf(Nameless), {
    message:
      'Cannot define a service by class "Nameless": it has no name. Write static readonly name = "…" into it',
  });
});

Deno.test("decorators refuse what no call can reach", () => {
  throws(() => {
    class Static {
      @rpc
      static hello(): void {}
    }
    return Static;
  }, { message: 'Cannot use a decorator for methods on "hello": it is a static method' });
  throws(() => {
    class Private {
      @entry(rpcEntrypoint())
      #hello(): void {}
      hello = () => this.#hello();
    }
    return Private;
  }, { message: 'Cannot use a decorator for methods on "#hello": it is a private method' });
  throws(() => {
    class Reserved {
      static readonly name = "reserved";
      @inject(config())
      call!: PlainRecord;
    }
    return serviceOf(Reserved);
  }, /the context reserves the key "call"/);
  throws(() => {
    class Built {
      static readonly name = "built";
      constructor(readonly_: string) {
        void readonly_;
      }
      @rpc
      hello(): void {}
    }
    return serviceOf(Built);
  }, /the constructor of its class has parameters/);
  throws(() => {
    class Counting {
      static readonly name = "counting";
      @rpc
      *count(): Generator<number> {
        yield 1;
      }
    }
    return serviceOf(Counting);
  }, /the handler of "count" is a generator, which an entrypoint of kind "rpc" would never run/);
  throws(() => (rpc as (...args: unknown[]) => unknown)(() => {}, "hello", {}), /"experimentalDecorators"/);
});
