import assert from "node:assert/strict";
import { machineName } from "../../../runtime/hosting/machine_name.ts";

Deno.test("machineName() gives the name of the machine", () => {
  assert.equal(machineName(), Deno.hostname());
});

Deno.test({
  name: "machineName() gives nothing where the program may not know the name",
  permissions: { sys: false },
  fn: () => assert.equal(machineName(), undefined),
});
