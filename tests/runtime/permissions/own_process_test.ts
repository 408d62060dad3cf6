/** What a service with all permissions does to its process costs it alone, if the process is its own. */
import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import type { LogRecord } from "../../../runtime/log/log.ts";
import { configureLogging, observeRecords } from "../../../runtime/log/observe.ts";
import { type attacker, type neighbour, socketsOfProcess } from "../../fixtures/services/attacking.ts";
import { servicePath } from "../../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

type Stage = Awaited<ReturnType<typeof open>>;

async function open() {
  const broker = new MemoryBroker();
  const records: LogRecord[] = [];
  const unobserve = observeRecords((record) => void records.push(record), "debug");
  const running = await run([servicePath("attacking.ts")], {
    broker: memory({ broker }),
    config: { services: { attacker: { isolation: "process", permissions: "all", max_workers: 1 } } },
  });
  const connection = await connect({ broker: memory({ broker }) });
  return {
    records,
    attacker: connection.client<typeof attacker>("attacker"),
    neighbour: connection.client<typeof neighbour>("neighbour"),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await running.shutdown();
      unobserve();
    },
  };
}

function law(text: string, proof: (stage: Stage) => Promise<void>): void {
  Deno.test({
    name: `a service with a process of its own ${text}`,
    ignore: Deno.build.os !== "linux",
    async fn() {
      await using stage = await open();
      assert.equal(await stage.neighbour.process(), Deno.pid);
      await proof(stage);
      assert.equal(await stage.neighbour.process(), Deno.pid);
    },
  });
}

law("can end its process, and serves again in another", async ({ attacker }) => {
  const former = await attacker.process();
  assert.notEqual(former, Deno.pid);
  await assert.rejects(
    attacker.die(),
    /The thread that ran the call was lost: its process was ended by SIGKILL/,
  );
  assert.notEqual(await attacker.process(), former);
});

law("can have native code that fails", async ({ attacker }) => {
  await assert.rejects(
    attacker.abort(),
    /The thread that ran the call was lost: its process was ended by SIG/,
  );
  assert.equal(typeof await attacker.process(), "number");
});

law("has no descriptor of a socket of another process", async ({ attacker }) => {
  using _listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const here = socketsOfProcess();
  const there = await attacker.sockets();
  assert.ok(here.length > 0 && there.length > 0);
  assert.deepEqual(there.filter((name) => here.includes(name)), []);
});

law("cannot cut off the log", async ({ attacker }) => {
  assert.deepEqual(await attacker.truncate(), ["EINVAL", "EINVAL"]);
});

Deno.test({
  name: "a service with a process of its own leaves no Worker behind that spins",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const stage = await open();
    const pid = await stage.attacker.spinElsewhere();
    await stage[Symbol.asyncDispose]();
    assert.throws(() => Deno.readTextFileSync(`/proc/${pid}/status`), Deno.errors.NotFound);
  },
});

law("floods the log only as far as log_limit allows", async ({ attacker, records }) => {
  await attacker.flood();
  const lines = () => records.filter(({ message }) => message.startsWith("xxx")).length;
  assert.ok(lines() > 0 && lines() <= 3_000, `${lines()} lines`);
  await until(() =>
    records.some(({ message }) => /^Left out [\d,]+ log records of the process of "attacker"/.test(message))
  );
});

/** Waits until something is true that a timer of the log brings about. */
async function until(isTrue: () => boolean): Promise<void> {
  while (!isTrue()) await new Promise((resolve) => setTimeout(resolve, 20));
}
