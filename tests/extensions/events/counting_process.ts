/** Serves the counting service until it is told to stop, and says so when it is ready. */
import { run } from "../../../extensions/run.ts";

const [broker] = Deno.args;
if (broker === undefined) throw new TypeError("Cannot serve: pass a broker");
await using running = await run([new URL("./counting_service.ts", import.meta.url)], {
  broker,
  config: { AUTO_DELETE_EVENT_EXCHANGES: true },
  threads: { permissions: "all", maxWorkers: 1, concurrency: 50 },
});
await Deno.stdout.write(new TextEncoder().encode("ready\n"));
// The end of its input tells it to stop.
for await (const _chunk of Deno.stdin.readable);
await running.shutdown();
