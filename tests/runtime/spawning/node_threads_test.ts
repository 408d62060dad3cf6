import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";

Deno.test("a thread that is killed while it loads its module does not take the process along", async () => {
  const script = fileURLToPath(import.meta.resolve("../../fixtures/pool/kill_while_loading.ts"));
  const { code, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--allow-all", script],
    env: { NO_COLOR: "1" },
  }).output();
  assert.equal(code, 0, new TextDecoder().decode(stderr));
  assert.equal(new TextDecoder().decode(stdout).trim(), "120");
});
