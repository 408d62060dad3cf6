import assert from "node:assert/strict";
import type { CommandIo } from "../../extensions/cli/command_io.ts";
import { RunView } from "../../extensions/cli/view/run_view.ts";
import { ServiceLoadError } from "../../runtime/message/errors.ts";

Deno.test("what cannot be reloaded is told in sentences with one period each", () => {
  let said = "";
  const io: Partial<CommandIo> = { terminal: false, columns: 80, writeMessage: (text) => said += text };
  const error = new ServiceLoadError('Cannot load module x: Module not found "svc.ts".');
  new RunView(io as CommandIo, "pretty").progress({
    step: "not reloaded",
    module: "file:///srv/svc.ts",
    error,
  });
  assert.match(said, /: Module not found "svc\.ts"\. The former version goes on\n$/);
});
