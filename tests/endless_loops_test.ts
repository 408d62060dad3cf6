import assert from "node:assert/strict";
import { INTERRUPTIBLE_LOOPS_FLAG } from "../runtime/permissions/interruptible_loops.ts";

/** Bytes that the process may have beside the heaps of its threads, and more than it needs for these. */
const MOST_MEMORY = 1_200_000_000;

/** Hundredths of a second of the processor in half a second; a loop that goes on takes 50. */
const MOST_TICKS = 20;

const PROGRAM = new URL("./fixtures/loops_program.ts", import.meta.url);

interface Report {
  readonly outcomes: Readonly<Record<string, string>>;
  readonly most: number;
  readonly ticks: number;
}

Deno.test({
  name: "endless loops of all kinds are ended at their timeout or their heap limit, and do not run on",
  ignore: Deno.build.os !== "linux",
  async fn() {
    const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--quiet", "--unstable-worker-options", INTERRUPTIBLE_LOOPS_FLAG, PROGRAM.href],
      signal: AbortSignal.timeout(60_000),
    }).output();
    assert.equal(code, 0, new TextDecoder().decode(stderr));
    const { outcomes, most, ticks }: Report = JSON.parse(new TextDecoder().decode(stdout));
    assert.ok(Object.keys(outcomes).length > 20);
    for (const [kind, status] of Object.entries(outcomes)) assert.equal(status, "failed", kind);
    assert.ok(most < MOST_MEMORY, `the process had ${most} bytes`);
    assert.ok(ticks < MOST_TICKS, `the process used ${ticks} ticks after the end of all loops`);
  },
});
