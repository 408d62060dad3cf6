import { deepStrictEqual } from "node:assert/strict";
import { lossOf } from "../../../../runtime/telemetry/measuring/thread_loss.ts";

Deno.test("lossOf() gives the class of each reason, and error for all that are unknown", () => {
  const losses = {
    "the service called Deno.exit(3)": "exit",
    "it needed more than 64 MiB for its objects. Raise heap_limit": "memory",
    "a call did not end 250 ms after its time was up": "timeout",
    "it gave no sign of life for 60000 ms": "silence",
    "it sent a message out of form: done": "message",
    "one of its messages could not be handled: done: no": "message",
    "Error: it needed more than 64 MiB": "error",
    "it exited with status 1": "error",
  };
  deepStrictEqual(Object.keys(losses).map(lossOf), Object.values(losses));
});
