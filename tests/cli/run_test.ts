import assert from "node:assert/strict";
import { brokerTest } from "../fixtures/broker.ts";
import { SeverableProxy } from "../fixtures/severable_proxy.ts";
import { Child } from "../fixtures/child.ts";
import { freePort } from "../fixtures/free_port.ts";
import { Command, enoki, GREETING, PROGRAM, RUNTIME, SERVICES, withBroker } from "./command.ts";

Deno.test("enoki run lists what it serves, and stops at a signal", () =>
  withBroker(async (broker) => {
    const command = new Command([
      "run",
      "--broker",
      broker,
      "--max-workers",
      "3",
      "--allow-env=TZ",
      GREETING,
    ]);
    await command.says("Ready on");
    command.signal("SIGINT");
    const { status, out, err } = await command.ended;
    assert.equal(status, 0);
    assert.equal(out, "");
    const listing = [
      "",
      "greeting_service",
      "  rpc      hello",
      "  threads  1 of up to 3, sandboxed: env=TZ, in a process of its own",
      "",
      `Ready on ${broker} after `,
    ];
    assert.ok(err.includes(listing.join("\n")), err);
    assert.match(err, /\nStopping greeting_service\nStopped\n$/);
    assert.equal(command.listeners, 0);
  }));

Deno.test("enoki run serves a service without entrypoints until a signal, and says that it has none", () =>
  withBroker(async (broker, folder) => {
    const module = `${folder}/silent.ts`;
    const mod = JSON.stringify(new URL("../../mod.ts", import.meta.url).href);
    await Deno.writeTextFile(
      module,
      `import { service } from ${mod}; export default service("silent", { handlers: {} });`,
    );
    const command = new Command(["run", "-A", "--broker", broker, module]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    const { status, err } = await command.ended;
    assert.equal(status, 0);
    assert.match(err, /\nsilent\n {2}no entrypoints\n {2}threads {9}1 of up to 10/);
    assert.match(err, /\nStopping silent\nStopped\n$/);
  }));

Deno.test("enoki run lets the configuration give each service its permissions and threads", () =>
  withBroker(async (broker) => {
    const services = "{greeting_service: {permissions: {net: true}, max_workers: 2}}";
    const command = new Command(["run", "--broker", broker, "--define", `services=${services}`, GREETING]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    const { err } = await command.ended;
    assert.match(err, /threads {2}1 of up to 2, sandboxed: net, in a process of its own\n/);
  }));

Deno.test("enoki run says which line of a configuration is for no service that it serves", () =>
  withBroker(async (broker, folder) => {
    const file = `${folder}/app.yaml`;
    await Deno.writeTextFile(file, "services:\n  greeting_servce: { permissions: none }\n  mail: {}\n");
    const command = new Command(["run", "--broker", broker, "--config", file, GREETING]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    const { err } = await command.ended;
    const told = err.split("\n").flatMap((line) => /No service here .*/.exec(line)?.[0] ?? []);
    assert.deepEqual(told, [
      `No service here has the name in config key "services.greeting_servce" in line 2 of ${file}, so that it ` +
      "has no effect. Did you mean greeting_service?",
    ]);
  }));

Deno.test("enoki run adds up what a permission flag says that is given twice", () =>
  withBroker(async (broker) => {
    const command = new Command(["run", "--broker", broker, "--allow-net=a,b", "--allow-net=c", GREETING]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    const { err } = await command.ended;
    assert.match(err, /sandboxed: net=a,b,c, in a process of its own\n/);
  }));

Deno.test("enoki run lets a flag win over what the configuration has for a service", () =>
  withBroker(async (broker) => {
    const services = "services={greeting_service: {permissions: all, max_workers: 2}}";
    const flags = ["--max-workers", "3", "--allow-net", "--define", services];
    const command = new Command(["run", "--broker", broker, ...flags, GREETING]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    const { err } = await command.ended;
    assert.match(err, /threads {2}1 of up to 3, sandboxed: net, in a process of its own\n/);
  }));

Deno.test("enoki run --isolation process gives each service a process of its own, also against the configuration", () =>
  withBroker(async (broker) => {
    const services = "services={greeting_service: {isolation: threads}}";
    const flags = ["--isolation", "process", "--define", services];
    const command = new Command(["run", "--broker", broker, ...flags, GREETING]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    const { err } = await command.ended;
    assert.match(err, /sandboxed: no permissions, in a process of its own\n/);
  }));

Deno.test("enoki run --isolation threads names the services whose process it takes away, and their limits", () =>
  withBroker(async (broker) => {
    const threads = ["--isolation", "threads", "--broker", broker];
    const single =
      "services={greeting_service: {isolation: process, memory_limit: 512}, other: {max_workers: 2}}";
    const cases = [
      [
        [single],
        /leaves greeting_service without a process of its own, and memory_limit without an effect\. Leave/,
      ],
      [
        ["isolation=process", "cpu_limit=1"],
        /leaves all services without a process .*, and cpu_limit without/,
      ],
      [["memory_limit=512"], /leaves all services without a process .*, and memory_limit without an effect/],
      [["services={other: {task_limit: 64}}"], /leaves other without a process .*, and task_limit without/],
      [["isolation=threads", "services={other: {isolation: threads}}"], undefined],
      [[], undefined],
    ] as const;
    for (const [definitions, remark] of cases) {
      const defined = definitions.flatMap((definition) => ["--define", definition]);
      const command = new Command(["run", ...threads, ...defined, GREETING]);
      await command.says("Ready on");
      command.signal("SIGTERM");
      const { err } = await command.ended;
      assert.match(err, /sandboxed: no permissions, without a process of its own\n/);
      if (remark === undefined) assert.doesNotMatch(err, /--isolation/);
      else assert.match(err, remark);
    }
  }));

Deno.test("a service with fewer permissions than all others is to be named, so that its module gets no more", () =>
  withBroker(async (broker) => {
    const definitions = ["permissions=all", "services={greeting_service: {permissions: none}}"];
    const options = ["--broker", broker, ...definitions.flatMap((definition) => ["--define", definition])];
    for (const name of ["", ":greeting_service"]) {
      const command = new Command(["run", ...options, GREETING + name]);
      await command.says("Ready on");
      command.signal("SIGTERM");
      const { err } = await command.ended;
      assert.match(err, /sandboxed: no permissions, in a process of its own\n/);
      assert.equal(/loaded with all permissions, .* run MODULE:greeting_service/.test(err), name === "", err);
    }
  }));

Deno.test("under Deno's debugger, a restricted service is where the debugger reaches it, unless the flag says otherwise", async () => {
  const [program, run, ...args] = PROGRAM;
  for (const [flags, place] of [[[], "without"], [["--isolation", "process"], "in"]] as const) {
    const debugged = [run!, `--inspect=127.0.0.1:${freePort()}`, ...args];
    await using running = new Child(program, [...debugged, "run", "--broker", "memory:", ...flags, GREETING]);
    await running.says(`sandboxed: no permissions, ${place} a process of its own`);
    await running.says("Ready on");
  }
});

Deno.test("enoki run serves every service of its modules", () =>
  withBroker(async (broker) => {
    const command = new Command(["run", "-A", "--broker", broker, `${SERVICES}two_services.ts`, GREETING]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    const { err } = await command.ended;
    assert.match(err, /\norders\n[^]*\nstock\n[^]*\ngreeting_service\n[^]*with all permissions/);
  }));

Deno.test("enoki run serves the one service that is named", () =>
  withBroker(async (broker) => {
    const command = new Command(["run", "--broker", broker, `${SERVICES}two_services.ts:stock`]);
    await command.says("Ready on");
    command.signal("SIGTERM");
    assert.doesNotMatch((await command.ended).err, /orders/);
  }));

Deno.test("enoki run replaces one line on a terminal", () =>
  withBroker(async (broker) => {
    const command = new Command(["run", "--broker", broker, GREETING], { terminal: true });
    await command.says("Ready on");
    command.signal("SIGTERM");
    const [progress] = (await command.ended).err.split("\n");
    const lines = progress!.split("\r\x1b[K").map((line) => line.replace(/ .*/, ""));
    assert.deepEqual(lines, ["", "Connecting", "Loading", "Starting", ""]);
  }));

Deno.test("enoki run takes two SIGINTs at once, as one Ctrl-C under deno task sends them, for one", () =>
  withBroker(async (broker) => {
    const command = new Command(["run", "--broker", broker, GREETING]);
    await command.says("Ready");
    command.signal("SIGINT");
    command.signal("SIGINT");
    const { status, err } = await command.ended;
    assert.equal(status, 0);
    assert.match(err, /\nStopped\n$/);
  }));

Deno.test("enoki run takes two SIGTERMs within a second, as supervisors send them, for one", () =>
  withBroker(async (broker) => {
    const command = new Command(["run", "--broker", broker, GREETING]);
    await command.says("Ready");
    command.signal("SIGTERM");
    command.signal("SIGTERM");
    const { status, err } = await command.ended;
    assert.equal(status, 0);
    assert.match(err, /\nStopped\n$/);
  }));

Deno.test("enoki run with JSON logs writes nothing but JSON", () =>
  withBroker(async (broker) => {
    const command = new Command(["run", "--broker", broker, "--log-format", "json", GREETING]);
    await command.says("Ready");
    command.signal("SIGTERM");
    const lines = (await command.ended).err.trimEnd().split("\n").map((line) => JSON.parse(line));
    assert.deepEqual(lines.map(({ message }) => message), ["Ready", "Stopping greeting_service", "Stopped"]);
    assert.deepEqual(lines[0].properties.services, ["greeting_service"]);
  }));

Deno.test("enoki run waits for a named broker until it is stopped", async () => {
  const command = new Command(["run", "--broker", "amqp://127.0.0.1:1", GREETING]);
  await command.says("Cannot reach broker amqp://127.0.0.1:1: connection refused");
  await command.says("Trying again in 2 s");
  command.signal("SIGINT");
  const { status, err } = await command.ended;
  assert.equal(status, 0);
  assert.match(err, /\nStopped before anything was served\n$/);
});

brokerTest("enoki run serves as soon as a named broker has come up", async (uri) => {
  await using proxy = await SeverableProxy.open(uri);
  proxy.down = true;
  const command = new Command(["run", "--broker", proxy.uri, GREETING]);
  await command.says("Trying again in 2 s");
  proxy.down = false;
  await command.says("Ready on");
  command.signal("SIGTERM");
  assert.equal((await command.ended).status, 0);
});

/** What is wrong, and the one message that says so. */
const MISTAKES: readonly (readonly [string, readonly string[], RegExp])[] = [
  ["is not there", ["./nowhere.ts"], /^Cannot load module \.\/nowhere\.ts: no such file\n$/],
  ["lacks its extension", [GREETING.slice(0, -3)], /: no such file\. Did you mean .*\/service\.ts\?\n$/],
  ["is a folder", [SERVICES], /: it is a folder\. Name the module in it\n$/],
  [
    "exports no service",
    [`${SERVICES}no_service.ts`],
    /\nCannot serve module .*: it exports no service\. .*\n$/,
  ],
  [
    "lacks the service named",
    [`${GREETING}:orders`],
    /\nCannot serve module .*: it exports no service "orders", .*\n$/,
  ],
  [
    "has two services of a name",
    [`${SERVICES}same_name.ts`],
    /\nCannot serve two services named "twin": .*same_name\.ts exports both\n$/,
  ],
  [
    "is given twice",
    [GREETING, GREETING],
    /\nCannot serve two services named "greeting_service": .* has been named before\. Leave it out the second time\n$/,
  ],
  [
    "throws",
    [`${SERVICES}throws_at_top.ts`],
    /\nCannot load the service: RangeError: no such ledger\n +at open /,
  ],
  [
    "throws with -A",
    ["-A", `${SERVICES}throws_at_top.ts`],
    /\nCannot load the service: RangeError: no such ledger\n/,
  ],
];

for (const [state, argv, message] of MISTAKES) {
  Deno.test(`enoki run ends with 2 where a module ${state}`, () =>
    withBroker(async (broker) => {
      const { status, out, err } = await enoki(["run", "--broker", broker, ...argv]);
      assert.equal(status, 2);
      assert.equal(out, "");
      assert.match(err, message);
      assert.ok(!err.includes(RUNTIME), err);
    }));
}

for (const flags of [[], ["-A"]]) {
  Deno.test(`enoki run ${flags.join(" ")} ends with 2 and the place of a syntax error`, () =>
    withBroker(async (broker, folder) => {
      const module = `${folder}/syntax_error.ts`;
      await Deno.copyFile(`${SERVICES}syntax_error.ts.txt`, module);
      const { status, err } = await enoki(["run", "--broker", broker, ...flags, module]);
      assert.equal(status, 2);
      assert.match(err, /: SyntaxError: [^]*\/syntax_error\.ts:1:\d+\n$/);
    }));
}

Deno.test("enoki run ends with 2 where a value of the configuration is wrong", async () => {
  assert.deepEqual(await enoki(["run", "--define", "max_workers=many", GREETING]), {
    status: 2,
    out: "",
    err: 'Cannot use config key "max_workers": got "many", expected an integer, 1 or more\n',
  });
});

Deno.test("enoki run with JSON logs tells in JSON what kept it from serving", async () => {
  const words = ["run", "--log-format", "json", "--define", "max_workers=none", GREETING];
  const { status, out, err } = await enoki(words);
  assert.deepEqual([status, out], [2, ""]);
  const lines = err.trimEnd().split("\n").map((line) => JSON.parse(line));
  assert.deepEqual(lines.map(({ level }) => level), ["error"]);
  assert.match(lines[0].message, /"max_workers": got "none"/);
});

Deno.test("enoki run ends with 2 where there is no such log level", async () => {
  const { status, err } = await enoki(["run", "--log-level", "loud", GREETING]);
  assert.equal(status, 2);
  assert.match(err, /^Cannot use log level "loud": .*\n$/);
});

Deno.test("enoki run logs as LOGGING of a Nameko configuration says, and its flags win", () =>
  withBroker(async (broker, folder) => {
    const file = `${folder}/app.yaml`;
    await Deno.writeTextFile(
      file,
      `
LOGGING:
  version: 1
  formatters: { simple: { format: "%(levelname)s %(name)s: %(message)s" } }
  handlers:
    console: { class: logging.StreamHandler, formatter: simple, stream: ext://sys.stdout }
    file: { class: logging.FileHandler, formatter: simple, filename: ${folder}/app.log }
  root: { level: WARNING, handlers: [console, file] }
  loggers: { sqlalchemy: { level: INFO } }
`,
    );
    const told = "These loggers have no effect here: loggers.sqlalchemy (line 9 of ";
    for (
      const [flags, expected] of [[[], `WARNING enoki: ${told}`], [
        ["--log-format", "json"],
        '"level":"warning"',
      ]] as const
    ) {
      const command = new Command(["run", "--broker", broker, "--config", file, ...flags, GREETING]);
      await command.draws("sqlalchemy");
      command.signal("SIGTERM");
      const { status, out } = await command.ended;
      assert.equal(status, 0);
      assert.ok(out.includes(expected), out);
    }
    assert.match(
      await Deno.readTextFile(`${folder}/app.log`),
      /^WARNING enoki: These loggers [^\n]*\n\{"time"/,
    );
  }));
