import assert from "node:assert/strict";
import { Command, type Ended, enoki, SERVICES, withBroker, withService } from "./command.ts";

const ONE = `${SERVICES}reaching_out.ts`;
const TWO = `${SERVICES}reaching_out_too.ts`;

type Call = (method: string, ...args: readonly unknown[]) => Promise<Ended>;

function caller(broker: string, service: string): Call {
  return (method, ...args) =>
    enoki(["call", "--broker", broker, `${service}.${method}`, ...args.map((arg) => JSON.stringify(arg))]);
}

interface Places {
  readonly port: number;
  readonly file: string;
  readonly module: string;
}

/** A port that somebody listens at, a file, and a module that nothing imports. */
async function withPlaces(test: (places: Places) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-permissions-" });
  const origin = Deno.serve(
    { hostname: "127.0.0.1", port: 0, onListen: () => {} },
    () => new Response("export default 'imported'", { headers: { "content-type": "text/javascript" } }),
  );
  const { port } = origin.addr;
  try {
    const module = `http://127.0.0.1:${port}/${crypto.randomUUID()}.js`;
    await test({ port, file: `${folder}/file.txt`, module });
  } finally {
    await origin.shutdown();
    await Deno.remove(folder, { recursive: true });
  }
}

function attempts({ port, file, module }: Places): readonly (readonly [string, readonly unknown[]])[] {
  return [
    ["write", [file]],
    ["read", [file]],
    ["env", []],
    ["net", [port]],
    ["import", [module]],
    ["run", []],
    ["sys", []],
    ["ffi", []],
  ];
}

function expectedDenials({ port, file, module }: Places): Readonly<Record<string, string>> {
  return {
    env:
      'Cannot read variable "ENOKI_TOKEN" in one.env: not permitted. Allow it with --allow-env=ENOKI_TOKEN',
    ffi: 'Cannot load native library "libc.so.6" in one.ffi: not permitted. Allow it with --allow-ffi',
    import: `Cannot import code from "${new URL(module).host}" in one.import: not permitted. ` +
      `Allow it with --allow-import=${new URL(module).host}`,
    net: `Cannot use network address "127.0.0.1:${port}" in one.net: not permitted. ` +
      `Allow it with --allow-net=127.0.0.1:${port}`,
    read: `Cannot read "${file}" in one.read: not permitted. Allow it with --allow-read=${file}`,
    run: 'Cannot run "true" in one.run: not permitted. Allow it with --allow-run=true',
    sys: 'Cannot ask the system for "hostname" in one.sys: not permitted. Allow it with --allow-sys=hostname',
    write: `Cannot write "${file}" in one.write: not permitted. Allow it with --allow-write=${file}`,
  };
}

Deno.test("run permits nothing by itself, and each denial names the flag that permits it", () =>
  withPlaces((places) =>
    withService(ONE, async (broker) => {
      const call = caller(broker, "one");
      for (const [method, args] of attempts(places)) {
        const { status, err } = await call(method, ...args);
        assert.equal(status, 1, method);
        const lastLine = err.trimEnd().split("\n").at(-1)!;
        assert.equal(lastLine.replace(/^\w+: /, ""), expectedDenials(places)[method]);
      }
    })
  ));

Deno.test("run permits what the denials' flags say, and nothing beside it", () =>
  withPlaces(async (places) => {
    const flags = Object.values(expectedDenials(places)).map((text) => /--allow-\S+$/.exec(text)![0]);
    await withService(ONE, async (broker) => {
      const call = caller(broker, "one");
      for (const [method, args] of attempts(places)) {
        const { status, err } = await call(method, ...args);
        assert.equal(status, 0, err);
      }
      assert.equal((await call("read", "/etc/passwd")).status, 1);
    }, flags);
  }));

Deno.test("a service cannot give a Worker more than it has, and revokes nothing", () =>
  withService(ONE, async (broker) => {
    const call = caller(broker, "one");
    assert.match(
      (await call("escalate")).err,
      /Cannot do this in one\.escalate: .* parent thread permissions/,
    );
    assert.equal((await call("revoke")).status, 0);
    assert.equal((await call("env")).status, 0);
  }, ["--allow-env", "--allow-workers", "--max-workers", "1"]));

Deno.test("a service starts no Worker, unless a flag permits it", () =>
  withService(ONE, async (broker) => {
    assert.match(
      (await caller(broker, "one")("escalate")).err,
      /Cannot start a Worker in one\.escalate: not permitted\. Allow it with --allow-workers\n$/,
    );
  }, ["--allow-env", "--max-workers", "1"]));

Deno.test("process.abort() in a service ends its thread and not the process", () =>
  withService(ONE, async (broker) => {
    const call = caller(broker, "one");
    assert.match((await call("abort")).err, /the service called Deno\.exit\(134\)/);
    assert.equal((await call("nothing")).status, 0);
  }, ["--max-workers", "1"]));

Deno.test("restricted services share no broadcast channel, no lock and no cache", () =>
  withBroker(async (broker) => {
    const options = ["--broker", broker, "--log-level", "error", "--max-workers", "1"];
    const serving = new Command(["run", ...options, ONE, TWO]);
    try {
      await serving.says("Ready on");
      const [one, two] = [caller(broker, "one"), caller(broker, "two")];
      assert.equal((await one("listen")).out, '["gossip","undefined"]\n');
      assert.deepEqual(
        JSON.parse((await two("hold")).out).map(({ name }: { readonly name: string }) => name),
        ["mine"],
      );
      assert.equal((await one("heard")).out, "[]\n");
      await one("hold");
      assert.equal((await one("heard")).out, '["hello"]\n');
    } finally {
      serving.signal("SIGTERM");
      await serving.ended;
    }
  }));

Deno.test("run refuses to deny, and says what to do instead", async () => {
  for (const flag of ["--deny-net", "--deny-net=example.com"]) {
    const { status, err } = await enoki(["run", "--broker", "memory:", flag, ONE]);
    assert.equal(status, 2);
    assert.match(err, /^Cannot use --deny-net: .* as in --allow-net=…\n$/);
  }
});

Deno.test("run names the flag whose list cannot be permitted", async () => {
  const { status, err } = await enoki([
    "run",
    "--broker",
    "memory:",
    "--allow-net=https://example.com/",
    ONE,
  ]);
  assert.equal(status, 2);
  assert.match(err, /^Cannot use --allow-net: "net" takes hosts such as /);
});

Deno.test("run says what Deno does not take as a permission", async () => {
  const { status, err } = await enoki(["run", "--broker", "memory:", "--allow-sys=weather", ONE]);
  assert.equal(status, 2);
  assert.match(
    err,
    /\nCannot load service in thread "reaching_out\.ts#0": its process .*: unknown sys descriptor: 'weather'\n$/,
  );
});

const WRONG: readonly (readonly [name: string, yaml: string, complaint: RegExp])[] = [
  ["a wrong key", "permissions:\n  env: true\n  nett: true\n", /"permissions" in line 3 of .*"nett"/],
  ["a wrong shape", "max_workers: 1\npermissions: some\n", /"permissions" in line 2 of .*got "some"/],
  [
    "a wrong list of one service",
    "services:\n  one:\n    max_workers: 1\n    permissions: { net: [80] }\n",
    /"services\.one\.permissions" in line 4 of .*"net" must be/,
  ],
  ["a denial", "permissions: { deny_net: [a] }\n", /"permissions" in line 1 of .* lists what is allowed/],
];

for (const [name, yaml, complaint] of WRONG) {
  Deno.test(`run refuses ${name} in permissions with the line of the file`, async () => {
    const file = await Deno.makeTempFile({ suffix: ".yaml" });
    try {
      await Deno.writeTextFile(file, yaml);
      const options = ["--broker", "memory:", "--max-workers", "2", "--config", file];
      const { status, err } = await enoki(["run", ...options, ONE]);
      assert.equal(status, 2);
      assert.match(err, complaint);
    } finally {
      await Deno.remove(file);
    }
  });
}
