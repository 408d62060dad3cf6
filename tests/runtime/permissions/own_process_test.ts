import assert from "node:assert/strict";
import { memory, MemoryBroker } from "../../../extensions/memory/mod.ts";
import { connect, run } from "../../../extensions/run.ts";
import type { LogRecord } from "../../../runtime/log/log.ts";
import { configureLogging, observeRecords } from "../../../runtime/log/observe.ts";
import { ATTACKING, ownProcessLaws } from "../../conformance/own_process_laws.ts";
import type { attacker, guest, neighbour } from "../../fixtures/services/attacking.ts";
import { servicePath } from "../../fixtures/serve_in_memory.ts";

configureLogging({ write: () => {} });

ownProcessLaws("a program", async () => {
  const broker = new MemoryBroker();
  const records: LogRecord[] = [];
  const unobserve = observeRecords((record) => void records.push(record), "debug");
  const listener = Deno.listen({ hostname: "127.0.0.1", port: 0 });
  const running = await run([servicePath("attacking.ts")], { broker: memory({ broker }), config: ATTACKING });
  const connection = await connect({ broker: memory({ broker }) });
  return {
    mainProcess: Deno.pid,
    attacker: connection.client<typeof attacker>("attacker"),
    guest: connection.client<typeof guest>("guest"),
    neighbour: connection.client<typeof neighbour>("neighbour"),
    lines: () => records.map(({ message }) => message),
    async [Symbol.asyncDispose]() {
      await connection.close();
      await running.shutdown();
      listener.close();
      unobserve();
    },
  };
});

Deno.test("no code of a service with a process of its own runs in the main process, also if nobody has named the service", async () => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-own-process-" });
  const notes = `${folder}/notes`;
  const module = `${folder}/noting.ts`;
  await Deno.writeTextFile(
    module,
    `Deno.writeTextFileSync(${JSON.stringify(notes)}, Deno.pid + "\\n", { append: true });
    export { guest } from ${JSON.stringify(servicePath("attacking.ts"))};`,
  );
  const services = { guest: { isolation: "process", memory_limit: 512 } };
  try {
    await using running = await run([module], { broker: memory(), config: { permissions: "all", services } });
    await running.reload();
    const pids = (await Deno.readTextFile(notes)).trim().split("\n");
    assert.ok(pids.length > 0 && !pids.includes(String(Deno.pid)), `${pids}`);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
