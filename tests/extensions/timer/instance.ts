/** One instance of a ticking service in a process of its own: pass a broker and a queue for the ticks. */
import { run } from "../../../extensions/run.ts";

const [broker, queue] = Deno.args;
if (broker === undefined || queue === undefined) {
  throw new TypeError("Cannot tick: pass a broker and a queue");
}
Deno.env.set("ENOKI_TEST_TICKS", queue);
const name = `enoki_test_single_${queue.replaceAll(".", "_")}`;
await run([`${import.meta.dirname}/ticking.ts:${name}`], {
  broker,
  threads: { kind: "web", permissions: { env: ["ENOKI_TEST_TICKS"] } },
});
await Deno.stdout.write(new TextEncoder().encode("ready\n"));
