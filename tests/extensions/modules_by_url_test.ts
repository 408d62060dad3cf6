import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../extensions/memory/mod.ts";
import { connect, type Connection, run, type RunOptions } from "../../extensions/run.ts";
import type { RemoteError } from "../../runtime/message/errors.ts";
import { configureLogging } from "../../runtime/log/observe.ts";
import {
  DECORATED_SERVICE,
  FAILING_LINE,
  TOTAL,
  writeDecoratedService,
} from "../fixtures/modules/decorated_service.ts";
import { ModuleOrigin, TestFolder } from "../fixtures/module_origin.ts";

const readers: ((line: string) => void)[] = [];
configureLogging({ write: (line) => readers.shift()?.(line) });

/** What is logged next. */
function nextLine(): Promise<string> {
  const { promise, resolve } = Promise.withResolvers<string>();
  readers.push(resolve);
  return promise;
}

/** Runs a test with a caller of the module's services, which have no permissions. */
async function withServices(
  module: string,
  options: RunOptions,
  test: (connection: Connection) => Promise<void>,
): Promise<void> {
  const broker = new MemoryBroker();
  await using _running = await run([module], {
    broker: memory({ broker }),
    config: { modules: { cache: false } },
    ...options,
  });
  await using connection = await connect({ broker: memory({ broker }) });
  await test(connection);
}

interface Decorated {
  total(): number;
  facts(): Record<string, unknown>;
  place: { kwargs(named: Record<string, unknown>): Promise<unknown> };
  fail(): never;
  lazy(): number;
  where(): string;
}

function answersAsWritten(base: string): (connection: Connection) => Promise<void> {
  return async (connection) => {
    const decorated = connection.client("decorated") as unknown as
      & { readonly [Name in keyof Decorated]: () => Promise<unknown> }
      & Pick<Decorated, "place">;
    assert.equal(await decorated.total(), TOTAL);
    const { next, ...facts } = await decorated.facts() as { readonly next: string[] };
    assert.deepEqual(facts, {
      order: "the service's own",
      prices: { apple: 3 },
      label: `<b{"id":"x"}>shop</b>`,
      answer: 42,
      plain: "Part",
    });
    assert.deepEqual([...new Set(next)], ["Part"]);
    assert.deepEqual(await decorated.place.kwargs({ quantity: 2, order: "tea" }), ["tea", 2]);
    assert.equal(await decorated.lazy(), 24);
    assert.equal(await decorated.where(), `${base}/service.ts`);
    const logged = nextLine();
    await assert.rejects(decorated.fail(), (error: RemoteError) => {
      assert.equal(error.remoteName, "PartError");
      assert.equal(error.remoteMessage, "part 7");
      return true;
    });
    const [first, second] = (await logged).split("\n").filter((line) => /^ +at /.test(line));
    assert.match(first ?? "", new RegExp(`\\(${base}/part_7\\.ts:${FAILING_LINE}:`));
    assert.match(second ?? "", new RegExp(`\\(${base}/service\\.ts:17:`));
  };
}

Deno.test("run() serves 32 decorated modules from files, without permissions", async () => {
  await using folder = new TestFolder();
  const path = await writeDecoratedService(folder.path);
  await withServices(path, { threads: { kind: "web" } }, answersAsWritten(`file://${folder.path}`));
});

Deno.test("run() serves 32 decorated modules from a bundle of files, without permissions", async () => {
  await using folder = new TestFolder();
  const path = await writeDecoratedService(folder.path);
  const options: RunOptions = { bundle: true, threads: { kind: "web" } };
  await withServices(path, options, answersAsWritten(`file://${folder.path}`));
});

Deno.test("run() serves 32 decorated modules by URL, without permissions", async () => {
  await using origin = new ModuleOrigin(
    Object.fromEntries(
      Object.entries(DECORATED_SERVICE).map(([path, text]) => [path, () => {
        const type = path.endsWith(".json") ? "application/json" : "text/plain";
        return new Response(text, { headers: { "content-type": type } });
      }]),
    ),
  );
  await withServices(`${origin.url("/service.ts")}:decorated`, {}, answersAsWritten(origin.url("")));
});

for (const kind of ["web", "node", "inline"] as const) {
  Deno.test(`run() says where a module throws that comes by URL, in ${kind} threads`, async () => {
    await using origin = new ModuleOrigin({
      "/a.ts": `import "./b.ts";`,
      "/b.ts": `interface Long {\n  a: string;\n}\nthrow new RangeError("no good");\n`,
    });
    const started = run([origin.url("/a.ts")], {
      broker: memory(),
      config: { modules: { cache: false } },
      threads: { kind, permissions: kind === "web" ? "none" : "all" },
    });
    await assert.rejects(started, (error: Error) => {
      assert.match(error.message, /RangeError: no good/);
      assert.match(error.stack ?? "", new RegExp(`RangeError: no good\\n +at ${origin.url("/b.ts")}:4:7`));
      return true;
    });
  });
}

Deno.test("run() says where a module by URL throws in its own time", async () => {
  await using origin = new ModuleOrigin({
    "/a.ts": `import { rpc, service } from "@enoki/enoki";
      interface Long {}
      export default service("late", { entrypoints: { start: rpc() }, handlers: { start() {
        void Promise.resolve().then(() => {
          throw new RangeError("late");
        });
      } } });`,
  });
  await withServices(origin.url("/a.ts"), { threads: { kind: "web" } }, async (connection) => {
    const logged = nextLine();
    await (connection.client("late") as unknown as { start(): Promise<void> }).start();
    assert.match(
      await logged,
      new RegExp(
        `Uncaught outside of all calls: RangeError: late\n.*\n +at ${origin.url("/a.ts")}:5:17`,
      ),
    );
  });
});
