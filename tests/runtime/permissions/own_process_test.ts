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
