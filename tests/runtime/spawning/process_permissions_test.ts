import assert from "node:assert/strict";
import { connect } from "../../../extensions/run.ts";
import { PROGRAM as ENOKI, withBroker } from "../../cli/command.ts";
import { Child } from "../../fixtures/child.ts";
import { TestFolder } from "../../fixtures/module_origin.ts";
import { servicePath } from "../../fixtures/serve_in_memory.ts";
import type { one } from "../../fixtures/services/reaching_out.ts";
import { DENO_PERMISSION_NAMES } from "../../../runtime/permissions/permissions.ts";
import { type ProcessOrder, TOKEN_LENGTH } from "../../../runtime/spawning/process/process_messages.ts";

/** The main module of a process with all permissions. It prints those that are left at the end. */
const PROGRAM = `
  import { serveProcess } from ${
  JSON.stringify(import.meta.resolve("../../../runtime/spawning/process/child.ts"))
};
  await serveProcess(await new Response(Deno.stdin.readable).json());
  const names = ${JSON.stringify(DENO_PERMISSION_NAMES)};
  console.log(JSON.stringify(names.filter((name) => Deno.permissions.querySync({ name }).state === "granted")));
  Deno.exit();
`;

/** Runs a process until it has said its token, and resolves with the permissions that its main thread has then. */
async function permissionsOf(sandbox: ProcessOrder["sandbox"]): Promise<readonly string[]> {
  await using folder = new TestFolder();
  const order = { socket: folder.file("socket"), token: "x".repeat(TOKEN_LENGTH), sandbox };
  using listener = Deno.listen({ transport: "unix", path: order.socket });
  const process = new Deno.Command(Deno.execPath(), {
    args: ["eval", "--no-config", "--no-lock", "--unstable-worker-options", PROGRAM],
    stdin: "piped",
    stdout: "piped",
  }).spawn();
  const given = new Blob([JSON.stringify(order)]).stream().pipeTo(process.stdin);
  const connection = await listener.accept();
  await connection.read(new Uint8Array(TOKEN_LENGTH));
  connection.close();
  await given;
  return JSON.parse(new TextDecoder().decode((await process.output()).stdout));
}

Deno.test("the main thread of a process gives up all permissions if its threads have a warden", async () => {
  assert.deepEqual(await permissionsOf({ read: true, import: true }), []);
  assert.deepEqual(await permissionsOf(undefined), DENO_PERMISSION_NAMES);
});

Deno.test("a process keeps the folder of its service, though the socket of the process was in it", () =>
  withBroker(async (broker) => {
    await using folder = new TestFolder();
    const permissions = [`--allow-read=${folder.path}`, `--allow-write=${folder.path}`];
    const options = ["--broker", broker, "--isolation", "process", ...permissions];
    await using running = new Child(
      ENOKI[0],
      [...ENOKI.slice(1), "run", ...options, `${servicePath("reaching_out.ts")}:one`],
      { env: { TMPDIR: folder.path } },
    );
    await running.says("Ready on");
    await using connection = await connect({ broker });
    const service = connection.client<typeof one>("one");
    await service.write(folder.file("text"));
    await service.read(folder.file("text"));
    await assert.rejects(service.read("/etc/hostname"), /not permitted/);
  }));

Deno.test("a service has its socket in shared memory only if Deno lets its process in there", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using folder = new TestFolder();
  const serve = (...flags: readonly string[]) =>
    new Child(
      ENOKI[0],
      [...ENOKI.slice(1), "run", "--broker", "memory:", ...flags, `${servicePath("reaching_out.ts")}:one`],
      { env: { TMPDIR: folder.file("missing") } },
    );
  await using open = serve("-A", "--isolation", "process");
  await open.says("Ready on");
  await using restricted = serve();
  const { err } = await restricted.ended();
  assert.match(
    err,
    /its process could not be started: Cannot make a socket .*\. Set TMPDIR to a folder with a short path/,
  );
});

Deno.test("a process that Deno's flags cannot restrict takes no option of the program's", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using folder = new TestFolder();
  await Deno.writeTextFile(
    folder.file("program.ts"),
    `import { run } from ${JSON.stringify(import.meta.resolve("../../../extensions/run.ts"))};
    await using running = await run([${JSON.stringify(`${servicePath("reaching_out.ts")}:one`)}], {
      broker: "memory:",
      config: { permissions: { sys: ["inspector"] } },
    });
    console.log(running.containers.get("one").place.isolation);`,
  );
  await using program = new Child(Deno.execPath(), [
    ...["run", "-A", "--no-check", "--no-config", "--no-lock", folder.file("program.ts")],
  ]);
  await program.prints("process");
});
