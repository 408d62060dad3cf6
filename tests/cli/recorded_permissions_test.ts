import assert from "node:assert/strict";
import { parseConfigYaml } from "../../runtime/config/yaml.ts";
import { AUDIT_MARK } from "../../runtime/channel/audit_marks.ts";
import { readAudit } from "../../extensions/cli/permissions/audit.ts";
import { neededPermissions } from "../../extensions/cli/permissions/needed_permissions.ts";
import { permissionFlags } from "../../extensions/cli/permissions/printed_permissions.ts";
import { splitWords } from "../../extensions/cli/flags/words.ts";
import { Command, enoki, SERVICES, withBroker, withService } from "./command.ts";

Deno.test("with the permissions that enoki permissions prints, a service does again what it did with all of them", async () => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-recorded-" });
  const origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("export default 'imported'", { headers: { "content-type": "text/javascript" } }),
  );
  const { port } = origin.addr;
  const file = `${folder}/file.txt`;
  // Outside of this project, what the service imports does not get into the lock file of the project.
  const module = `${folder}/service.ts`;
  await Deno.copyFile(`${SERVICES}reaching_out.ts`, module);
  const calls: readonly (readonly [method: string, ...args: readonly unknown[]])[] = [
    ["write", file],
    ["read", "/etc/hosts"],
    ["env"],
    ["net", port],
    ["import", `http://127.0.0.1:${port}/${crypto.randomUUID()}.js`],
    ["run"],
    ["sys"],
    ["ffi"],
  ];
  const typed = calls.flatMap(([method, ...args]) => [
    "--call",
    [`one.${method}`, ...args.map((arg) => JSON.stringify(arg))].join(" "),
  ]);
  try {
    const recording = new Command([
      "permissions",
      "--broker",
      "memory:",
      "--for",
      "1h",
      ...typed,
      `${module}:one`,
    ]);
    await recording.says("one.ffi: null\n");
    recording.signal("SIGINT");
    const { status, out, err } = await recording.ended;
    assert.equal(status, 0, err);
    const [flags = "", yaml = ""] = out.split("\n\n");
    const { services: { one: { permissions } } } = parseConfigYaml(yaml, {
      action: "read",
      env: new Map(),
    }) as {
      readonly services: { readonly one: { readonly permissions: Readonly<Record<string, unknown>> } };
    };
    assert.deepEqual(Object.keys(permissions), [
      "env",
      "ffi",
      "import",
      "net",
      "read",
      "run",
      "sys",
      "write",
    ]);
    assert.deepEqual(permissions["env"], ["ENOKI_TOKEN"]);
    assert.deepEqual(permissions["net"], [`127.0.0.1:${port}`]);
    assert.deepEqual(permissions["read"], ["/etc/hosts"]);
    assert.doesNotMatch(String(permissions["write"]), /hosts/);
    await withService(`${module}:one`, async (broker) => {
      for (const [method, ...args] of calls) {
        const words = args.map((arg) => JSON.stringify(arg));
        const again = await enoki(["call", "--broker", broker, `one.${method}`, ...words]);
        assert.equal(again.status, 0, `${flags}\n${again.err}`);
      }
      assert.equal((await enoki(["call", "--broker", broker, "one.read", '"/etc/passwd"'])).status, 1);
    }, flags.split(" "));
  } finally {
    await origin.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("enoki permissions ends as enoki run does if a module does not load", () =>
  withBroker(async () => {
    const { status, out, err } = await enoki(["permissions", "--broker", "memory:", "./missing.ts"]);
    assert.equal(status, 2);
    assert.equal(out, "");
    assert.match(err, /missing\.ts/);
  }));

type Line = readonly [permission: string, value: string | null, ...stack: readonly string[]];

/** Writes lines as Deno does. */
async function* audit(...lines: readonly Line[]): AsyncGenerator<string> {
  yield JSON.stringify({ permission: "env", value: "BEFORE", stack: [SERVICE_FRAME, SERVICE_FRAME] });
  yield JSON.stringify({ permission: "env", value: `${AUDIT_MARK}begin:`, stack: [ENV_FRAME] });
  for (const [permission, value, ...stack] of lines) yield JSON.stringify({ permission, value, stack });
}

const ENV_FRAME = "<anonymous> (ext:deno_os/30_os.js:1:1291)";
const PROCESS_FRAME = "Object.get (ext:deno_node/_process/process.ts:1:1360)";
const LISTING_FRAME = "Object.ownKeys (ext:deno_node/_process/process.ts:1:1445)";
const SERVICE_FRAME = "Object.place (file:///srv/orders.ts:4:202)";
const RUNTIME_FRAME = `invoke (${import.meta.resolve("../../runtime/thread/invoker.ts")}:183:4)`;

const SURROUNDINGS = {
  needs: { read: ["/srv/orders.ts"], import: ["code.example"] },
  env: new Map([["TZ", "UTC"]]),
  folder: "/srv",
  temporary: "/tmp",
};

async function needed(...lines: readonly Line[]) {
  return neededPermissions((await readAudit(audit(...lines))).uses, SURROUNDINGS);
}

Deno.test("what the main thread and the runtime ask for counts for no service", async () => {
  const { permissions } = await needed(
    ["net", "127.0.0.1:5672", ENV_FRAME],
    ["env", "A", ENV_FRAME, RUNTIME_FRAME],
    ["read", "/srv/orders.ts", ENV_FRAME],
    ["import", "https://code.example/x.ts", ENV_FRAME, SERVICE_FRAME],
  );
  assert.equal(permissions, "none");
});

Deno.test("a file that is asked for under the stack of another question counts for the service", async () => {
  const { permissions } = await needed(["read", "/srv/data.db", ENV_FRAME]);
  assert.deepEqual(permissions, { read: ["./data.db"] });
});

Deno.test("of process.env, what is set counts; what is not set is named; what is listed is neither", async () => {
  const result = await needed(
    ["env", "TZ", ENV_FRAME, PROCESS_FRAME, SERVICE_FRAME],
    ["env", "DEBUG", ENV_FRAME, PROCESS_FRAME, SERVICE_FRAME],
    ["env", null, ENV_FRAME, LISTING_FRAME, SERVICE_FRAME],
    ["env", "LISTED", ENV_FRAME, LISTING_FRAME, SERVICE_FRAME],
    ["env", "TOKEN", ENV_FRAME, SERVICE_FRAME],
  );
  assert.deepEqual(result, { permissions: { env: ["TOKEN", "TZ"] }, unset: ["DEBUG"] });
});

Deno.test("many files of a folder become the folder, and a temporary file its folder", async () => {
  const files = ["a", "b", "c", "d", "e"].map((name) =>
    ["write", `/srv/out/${name}`, ENV_FRAME, SERVICE_FRAME] as const
  );
  const { permissions } = await needed(
    ...files,
    ["write", "<TMP>", ENV_FRAME, SERVICE_FRAME],
    ["read", "/tmp/x-1", ENV_FRAME, SERVICE_FRAME],
    ["read", "/etc/hosts", ENV_FRAME, SERVICE_FRAME],
  );
  assert.deepEqual(permissions, { write: ["./out", "/tmp"], read: ["/etc/hosts", "/tmp"] });
});

Deno.test("a URL becomes its host and port, and what no list can hold the whole permission", async () => {
  const { permissions } = await needed(
    ["net", "https://api.example.com/v1", ENV_FRAME, SERVICE_FRAME],
    ["net", "ws://[::1]:81/x", ENV_FRAME, SERVICE_FRAME],
    ["net", "unix:/run/x.sock", ENV_FRAME, SERVICE_FRAME],
    ["ffi", "libc.so.6", ENV_FRAME, SERVICE_FRAME],
    ["env", `${AUDIT_MARK}run:%2Fbin%2Fsh`, ENV_FRAME, SERVICE_FRAME],
    ["env", `${AUDIT_MARK}workers:`, ENV_FRAME, SERVICE_FRAME],
  );
  assert.deepEqual(permissions, {
    ffi: true,
    net: ["[::1]:81", "api.example.com:443", "unix:/run/x.sock"],
    run: ["/bin/sh"],
    workers: true,
  });
});

Deno.test("an audit without stacks cannot be used", async () => {
  async function* lines() {
    yield JSON.stringify({ permission: "env", value: `${AUDIT_MARK}begin:` });
  }
  assert.equal((await readAudit(lines())).isUsable, false);
});

Deno.test("permission flags are quoted for the shell where they have to be", () => {
  assert.equal(
    permissionFlags({ env: true, read: ["./a b"], net: ["x:1", "y"] }),
    "--allow-env '--allow-read=./a b' --allow-net=x:1,y",
  );
});

Deno.test("spaces inside JSON separate no words", () => {
  assert.deepEqual(splitWords(`a.b {"x": [1, "} "]}  k="v w" plain`), [
    "a.b",
    '{"x": [1, "} "]}',
    'k="v w"',
    "plain",
  ]);
});

Deno.test("enoki permissions records a service that is to have a process of its own", async () => {
  const services = { one: { isolation: "process", memory_limit: 512 } };
  const { status, out, err } = await enoki([
    ...["permissions", "--broker", "memory:", "--define", `services=${JSON.stringify(services)}`],
    ...["--call", "one.read /etc/hosts", `${SERVICES}reaching_out.ts:one`],
  ]);
  assert.equal(status, 0, err);
  assert.match(out, /^--allow-read=\/etc\/hosts$/m);
  assert.doesNotMatch(err, /--isolation/, "the user has given no such flag");
});
