import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

const PROGRAM = fileURLToPath(new URL("../../fixtures/signalled_program.ts", import.meta.url));

Deno.test({
  name: "a signal to the process opens no debugger to its services",
  ignore: Deno.build.os === "windows",
  async fn() {
    // Only `deno run` has the debugger: `deno test` ends by the signal.
    const { stdout, stderr } = await new Deno.Command(Deno.execPath(), {
      args: ["run", "-A", "--no-prompt", PROGRAM],
      stdin: "null",
      env: { NO_COLOR: "1" },
    }).output();
    const messages = new TextDecoder().decode(stderr);
    assert.doesNotMatch(messages, /Debugger listening/);
    assert.equal(new TextDecoder().decode(stdout).trim(), "ConnectionRefused", messages);
  },
});
