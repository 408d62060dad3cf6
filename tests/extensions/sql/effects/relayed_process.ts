/** Serves the shop until it is killed, and says so when it is ready. */
import { run } from "../../../../extensions/run.ts";

const [broker, database] = Deno.args;
if (database === undefined) throw new TypeError("Cannot serve: pass a broker and a database");
const module = new URL("./relayed_service.ts", import.meta.url);
await using running = await run([module], {
  broker: broker!,
  config: { SQL: database, AUTO_DELETE_EVENT_EXCHANGES: true },
  logLevel: "error",
  threads: { permissions: "all", maxWorkers: 1 },
});
await Deno.stdout.write(new TextEncoder().encode("ready\n"));
await running.finished;
