import assert from "node:assert/strict";
import { ServiceLoadError } from "../../runtime/message/errors.ts";
import { PoolStage, type SpawnerFactory } from "./pool_stage.ts";

/** What becomes of a service that does not start. */
export function poolLoadingLaws(
  name: string,
  createSpawner: SpawnerFactory,
  { threads }: { readonly threads: boolean },
): void {
  const rejected = async (module: string, limits: { readonly loadTimeout?: number } = {}): Promise<Error> => {
    const error = await PoolStage.open(createSpawner, { module, ...limits }).then(
      async (stage) => {
        await stage[Symbol.asyncDispose]();
        assert.fail("the pool started");
      },
      (error: Error) => error,
    );
    assert.ok(error instanceof ServiceLoadError, String(error));
    return error;
  };

  Deno.test(`Pool of ${name} threads does not start with a module that is not there`, async () => {
    assert.match((await rejected("missing")).message, /missing\.ts/);
  });

  Deno.test(`Pool of ${name} threads says where a module throws that does not load`, async () => {
    const { message, stack } = await rejected("throwing");
    assert.match(message, /RangeError: this module does not load/);
    assert.match(stack ?? "", /throwing\.ts:3:/);
  });

  Deno.test(`Pool of ${name} threads says where a provider fails that cannot be set up`, async () => {
    const { message, stack } = await rejected("unready");
    assert.match(message, /RangeError: this provider cannot be set up/);
    assert.match(stack ?? "", /unready\.ts:6:/);
  });

  if (!threads) return;
  Deno.test(`Pool of ${name} threads waits longer each time if they end by themselves before any call`, async () => {
    await using stage = await PoolStage.open(createSpawner, { maxWorkers: 1 });
    const { spawned } = stage.threads;
    const lose = async (count: number) => {
      for (const sought = spawned.length + count; spawned.length < sought;) {
        while (stage.pool.threads.ready === 0) await new Promise((resolve) => setTimeout(resolve, 5));
        const ended = spawned.at(-1)!;
        ended.kill();
        await ended.ended;
        while (spawned.at(-1) === ended) await new Promise((resolve) => setTimeout(resolve, 5));
      }
    };
    const waits = () => stage.records.flatMap(({ message }) => /^Waiting (\d+) ms/.exec(message)?.[1] ?? []);
    await lose(3);
    assert.deepEqual(waits(), ["250", "500"]);
    await stage.value("echo", 1);
    await lose(2);
    assert.deepEqual(waits(), ["250", "500"], "a thread that has run a call is lost, and then a first one");
    await lose(1);
    assert.deepEqual(waits(), ["250", "500", "250"]);
  });

  Deno.test(`Pool of ${name} threads does not wait longer than loadTimeout for a module`, async () => {
    const start = performance.now();
    const { message } = await rejected("never_loading", { loadTimeout: 1_000 });
    assert.match(message, /did not load within 1000 ms/);
    assert.ok(performance.now() - start < 4_000);
  });

  Deno.test(`Pool of ${name} threads stops starting when the signal aborts`, async () => {
    const spawner = await createSpawner(import.meta.resolve("../fixtures/pool/never_loading.ts"));
    await using stage = new PoolStage(spawner, { module: "working", stopTimeout: 100 });
    const controller = new AbortController();
    const started = stage.pool.start({ signal: controller.signal });
    const reason = new Error("enough");
    controller.abort(reason);
    await assert.rejects(started, reason);
  });
}
