/** The services in a process of their own: `overload_peer.ts <broker>` prints the HTTP port, and serves until it is killed. */
import { run } from "../../extensions/run.ts";
import { configureLogging } from "../../runtime/log/observe.ts";

configureLogging({ level: "error" });
const limits = { max_workers: 4, min_workers: 4 };
const { http } = await run([import.meta.resolve("./overload_services.ts")], {
  broker: Deno.args[0]!,
  config: {
    WEB_SERVER_ADDRESS: "127.0.0.1:0",
    services: { bench_refusing: limits, bench_patient: { ...limits, refuse_doomed: false } },
  },
  threads: { permissions: "all" },
});
await Deno.stdout.write(new TextEncoder().encode(`${new URL(http!).port}\n`));
