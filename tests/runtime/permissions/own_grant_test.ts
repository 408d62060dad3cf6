/** What a program gives to the processes of its services, which Deno itself does not check. */
import { doesNotThrow, equal, match, throws } from "node:assert/strict";
import { requireOwnGrant } from "../../../runtime/permissions/own_grant.ts";
import type { ServicePermissions } from "../../../runtime/permissions/permissions.ts";
import { PROGRAM, SERVICES } from "../../cli/command.ts";
import { Child } from "../../fixtures/child.ts";

const FEWER = {
  name: "ConfigurationError",
  message: "Cannot give guest its permissions: Deno itself has fewer. Give Deno the same permissions, or -A",
};

const OWN: readonly ServicePermissions[] = [
  "none",
  { net: ["a.example"] },
  { net: ["a.example:443"], read: ["/tmp/x"] },
  { read: true, workers: true },
  { env: [], net: false, sys: ["hostname"] },
];

const MORE: readonly ServicePermissions[] = [
  "all",
  { net: true },
  { net: ["b.example"] },
  { net: ["a.example", "b.example"] },
  { read: true, env: ["HOME"] },
  { sys: ["inspector"] },
  { run: ["true"] },
];

Deno.test({
  name: "the process of a service gets nothing that its program has not",
  permissions: { net: ["a.example"], read: true, sys: ["hostname"] },
  fn() {
    for (const permissions of OWN) doesNotThrow(() => requireOwnGrant(permissions, "guest"));
    for (const permissions of MORE) throws(() => requireOwnGrant(permissions, "guest"), FEWER);
  },
});

const DENIED = [
  "run",
  "-A",
  "--deny-net=203.0.113.1",
  "--no-check",
  PROGRAM.at(-1)!,
];

Deno.test("where Deno denies the program a part, a service has threads, because a process would get that part", async () => {
  const module = `${SERVICES}reaching_out.ts:one`;
  const broker = ["--broker", "memory:"];
  await using running = new Child(PROGRAM[0], [...DENIED, "run", ...broker, module]);
  await running.says("sandboxed: no permissions, without a process of its own");
  await running.says("Ready on");
  await using refused = new Child(PROGRAM[0], [
    ...DENIED,
    "run",
    ...broker,
    "--isolation",
    "process",
    module,
  ]);
  const { code, err } = await refused.ended();
  equal(code, 2);
  match(err, /Cannot give a service a process of its own: Deno denies this program a part of "net", /);
  await using doctor = new Child(PROGRAM[0], [...DENIED, "doctor", ...broker, module]);
  await doctor.prints('No process of its own for one: Deno denies this program a part of "net"');
});
