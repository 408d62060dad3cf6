/** Serves one of the services of the ledger until it is killed. */
import { run } from "../../../../extensions/run.ts";

const [broker, database, name] = Deno.args;
if (name === undefined) {
  throw new TypeError("Cannot serve: pass a broker, a database and the name of a service");
}
const module = new URL("./ledger_services.ts", import.meta.url);
await using running = await run([`${module}:${name}`], {
  broker: broker!,
  config: { SQL: { URI: database!, MAX_CONNECTIONS: 8 } },
  logLevel: "error",
  threads: { permissions: "all", maxWorkers: 1, concurrency: 8 },
});
await Deno.stdout.write(new TextEncoder().encode("ready\n"));
await running.finished;
