// deno-lint-ignore-file no-console -- it answers the profile by its output
/** `emitting_peer.ts <broker>`: reads a number of milliseconds a line, emits for so long, and prints how many events. */
import { connect, run } from "../../../extensions/run.ts";
import { PAYLOAD } from "../load.ts";
import { lines } from "../peer.ts";

/** Events between two looks at the clock. */
const STEP = 500;

const [broker] = Deno.args as [string];
await run([`${new URL(import.meta.resolve("../events_services.ts")).pathname}:bench_emitter`], {
  broker,
  config: { isolation: "threads" },
});
await using connection = await connect({ broker });
const emitter = connection.client("bench_emitter");
console.log("ready");
for await (const line of lines(Deno.stdin.readable)) {
  const end = performance.now() + Number(line);
  let count = 0;
  for (; performance.now() < end; count += STEP) await emitter.emit!(STEP, PAYLOAD);
  console.log(count);
}
Deno.exit();
