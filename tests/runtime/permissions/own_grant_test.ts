/** What a program gives to the processes of its services, which Deno itself does not check. */
import { deepEqual, doesNotThrow, equal, match, throws } from "node:assert/strict";
import { requireOwnGrant } from "../../../runtime/permissions/own_grant.ts";
import type { ServicePermissions } from "../../../runtime/permissions/permissions.ts";
import { PROGRAM, SERVICES } from "../../cli/command.ts";
import { Child } from "../../fixtures/child.ts";
import { TestFolder } from "../../fixtures/module_origin.ts";

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

/** What Deno takes as a flag, and cannot be asked for. */
const PATTERNS: readonly ServicePermissions[] = [
  { net: ["*.b.example"], env: ["TZ_*"] },
  { import: ["*.c.example"] },
];

const MORE_PATTERNS: readonly ServicePermissions[] = [
  { net: ["*.example"] },
  { net: ["*.c.example"] },
  { env: ["T*"] },
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

Deno.test("the process of a service gets the hosts below one that its program has, and no others", async () => {
  const module = JSON.stringify(import.meta.resolve("../../../runtime/permissions/own_grant.ts"));
  const program = `
    import { requireOwnGrant } from ${module};
    const whole = ${JSON.stringify([...PATTERNS, ...MORE_PATTERNS])}.map((permissions) => {
      try {
        requireOwnGrant(permissions, "guest");
        return "ok";
      } catch (error) {
        return error.message;
      }
    });
    console.log(JSON.stringify(whole));
  `;
  await using folder = new TestFolder();
  await Deno.writeTextFile(folder.file("program.ts"), program);
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: [
      ...["run", "--no-check", "--no-prompt", "--no-config", "--no-lock", "--allow-net=*.b.example"],
      ...["--allow-env=TZ_*", "--allow-import=*.c.example", folder.file("program.ts")],
    ],
    stderr: "inherit",
  }).output();
  deepEqual(JSON.parse(new TextDecoder().decode(stdout)), [
    ...PATTERNS.map(() => "ok"),
    ...MORE_PATTERNS.map(() => FEWER.message),
  ]);
});

const SOCKETLESS = [
  [["--allow-env=HOME", "--allow-net", "--allow-write"], "--allow-env"],
  [["--allow-env", "--allow-net=127.0.0.1", "--allow-write"], "--allow-net"],
  [["--allow-env", "--allow-net", "--allow-write=/srv"], "--allow-write=/tmp/x"],
] as const;

Deno.test("where the program may make no socket, a service has threads", {
  ignore: Deno.build.os === "windows",
}, async () => {
  const module = JSON.stringify(import.meta.resolve("../../../runtime/spawning/isolation.ts"));
  await using folder = new TestFolder();
  await Deno.writeTextFile(
    folder.file("program.ts"),
    `import { isolationOf, processObstacle } from ${module};
    console.log(isolationOf({ permissions: "none" }), processObstacle());`,
  );
  for (const [flags, missing] of SOCKETLESS) {
    const { stdout } = await new Deno.Command(Deno.execPath(), {
      args: [
        ...["run", "--no-check", "--no-prompt", "--no-config", "--no-lock", "--allow-run", "--allow-read"],
        ...flags,
        folder.file("program.ts"),
      ],
      env: { TMPDIR: "/tmp/x" },
      stderr: "inherit",
    }).output();
    const said = new TextDecoder().decode(stdout).trim();
    equal(said, `threads this program has no ${missing}, which that takes`);
  }
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
