/** Enoki as others get it: by URL, with no configuration of ours in sight. */
import { DEFAULT_EXCHANGE } from "../extensions/rpc/settings.ts";
import assert from "node:assert/strict";
import { amqp } from "../extensions/amqp/mod.ts";
import { rpcTopology } from "../extensions/rpc/topology.ts";
import { brokerTest } from "./fixtures/broker.ts";
import { Child } from "./fixtures/child.ts";
import { SourceServer } from "./fixtures/source_server.ts";

const SERVICE = `
  import { rpc, service } from "<source>/mod.ts";
  export default service("greeter", {
    entrypoints: { hello: rpc(), token: rpc(), words: rpc() },
    handlers: {
      hello: (_context, name: string) => \`Hello, \${name}!\`,
      token: () => Deno.env.get("TOKEN"),
      words: () => [...Deno.args, ...process.argv.slice(2)],
    },
  });
`;

const LIBRARY = `
  import { connect, run } from "<source>/extensions/run.ts";
  import { testContext } from "<source>/extensions/testing/mod.ts";
  import greeter from "./service.ts";

  console.log(await greeter.handlers.hello(testContext(greeter, {}), "test"));
  const [broker, isolation] = Deno.args;
  const config: Record<string, string> = isolation === undefined ? {} : { isolation };
  await using running = await run(["./service.ts"], { broker, config });
  await using cluster = await connect({ broker });
  const client = cluster.client<typeof greeter>("greeter");
  console.log(await client.hello("program"));
  console.log(await client.token().catch((error: Error) => error.message));
`;

function deno(source: SourceServer, ...args: readonly string[]): Child {
  return new Child(Deno.execPath(), args, { cwd: source.folder, env: { NO_COLOR: "1" } });
}

function enoki(source: SourceServer, ...args: readonly string[]): Child {
  return deno(source, "run", "-A", "--quiet", source.url("cli.ts"), ...args);
}

function brokerOf({ folder }: SourceServer): string {
  return `local://${folder}/broker.sock`;
}

Deno.test("cli.ts by URL serves a service that imports mod.ts by URL, without permissions", async () => {
  await using source = await SourceServer.open();
  await source.write("service.ts", SERVICE);
  const broker = brokerOf(source);
  await using serving = enoki(source, "run", "--broker", broker, "./service.ts");
  await serving.says("sandboxed: no permissions");
  await serving.says("Ready on");
  await using call = enoki(source, "call", "--broker", broker, "greeter.hello", "Ada");
  assert.equal((await call.ended()).out, '"Hello, Ada!"\n');
  await using words = enoki(source, "call", "--broker", broker, "greeter.words");
  assert.equal((await words.ended()).out, "[]\n", "a service sees the arguments of the program");
  await using denied = enoki(source, "call", "--broker", broker, "greeter.token");
  assert.deepEqual(await denied.ended(), {
    code: 1,
    signal: null,
    out: "",
    err:
      'NotCapable: Cannot read variable "TOKEN" in greeter.token: not permitted. Allow it with --allow-env=TOKEN\n',
  });
  serving.kill("SIGTERM");
  const { code, signal } = await serving.ended();
  assert.deepEqual({ code, signal }, { code: 0, signal: null });
});

/** Checks that a program serves the greeter to its end. */
async function greetedBy(
  serving: Child,
  source: SourceServer,
  broker: string,
  name = "greeter",
): Promise<void> {
  await serving.says("Ready on");
  await using call = enoki(source, "call", "--broker", broker, `${name}.hello`, "Ada");
  const { out, err } = await call.ended();
  assert.equal(out, '"Hello, Ada!"\n', err);
  serving.kill("SIGTERM");
  assert.equal((await serving.ended()).code, 0);
}

/** A service with an optional part of Enoki, whose code does not come with the program. */
const CACHING = `
  import { rpc, service } from "<source>/mod.ts";
  import { cache } from "<source>/extensions/cache/mod.ts";
  export default service("greeter", {
    dependencies: { greetings: cache({ ttl: 60_000 }) },
    entrypoints: { hello: rpc() },
    handlers: { hello: ({ greetings }, name) => greetings.get(name, () => "Hello, " + name + "!") },
  });
`;

for (const flags of [[], ["-A"], ["--isolation", "threads"], ["-A", "--isolation", "process"]]) {
  Deno.test(`cli.ts by URL serves a service with an optional part, fetched as it starts: ${flags.join(" ")}`, async () => {
    await using source = await SourceServer.open();
    await source.write("service.ts", CACHING);
    const broker = brokerOf(source);
    await using serving = enoki(source, "run", "--broker", broker, ...flags, "./service.ts");
    await greetedBy(serving, source, broker);
  });
}

Deno.test("cli.ts by URL serves a service with an optional part, whose door leads to all that it needs", async () => {
  await using source = await SourceServer.open();
  await source.write("service.ts", CACHING);
  const broker = brokerOf(source);
  const threads = ["runtime/thread/main.ts", "runtime/spawning/warden.ts"].map((path) => source.url(path));
  await using caching = deno(source, "cache", "--quiet", source.url("cli.ts"), ...threads, "service.ts");
  const { code, err: complaints } = await caching.ended();
  assert.equal(code, 0, complaints);
  await using serving = deno(
    source,
    ...["run", "-A", "--quiet", "--cached-only", source.url("cli.ts")],
    ...["run", "--broker", broker, "./service.ts"],
  );
  await greetedBy(serving, source, broker);
});

brokerTest("cli.ts by URL serves and calls over RabbitMQ", async (broker) => {
  await using source = await SourceServer.open();
  const name = "enoki_test_by_url";
  await source.write("service.ts", SERVICE.replace("greeter", name));
  await using transport = amqp(broker);
  await transport.connect();
  await using _clean = {
    [Symbol.asyncDispose]: () => transport.deleteQueue(rpcTopology(DEFAULT_EXCHANGE).queueOf(name)),
  };
  await using serving = enoki(source, "run", "--broker", broker, "./service.ts");
  await greetedBy(serving, source, broker, name);
});

Deno.test("cli.ts by URL that starts itself over keeps its process, its flags and its death", async () => {
  await using source = await SourceServer.open();
  await source.write("service.ts", SERVICE);
  await using serving = enoki(source, "run", "--broker", "memory:", "./service.ts");
  await serving.says("Ready on");
  const words = (await Deno.readTextFile(`/proc/${serving.pid}/cmdline`)).split("\0").slice(1, -1);
  assert.deepEqual(words, [
    ...["run", "-A", "--quiet", "--unstable-worker-options", "--unstable-no-legacy-abort"],
    "--v8-flags=--no-turboshaft-loop-unrolling,--max-semi-space-size=16",
    ...[source.url("cli.ts"), "run", "--broker", "memory:", "./service.ts"],
  ]);
  serving.kill("SIGKILL");
  assert.equal((await serving.ended()).signal, "SIGKILL");
});

Deno.test("cli.ts by URL that starts itself over passes the exit status of a failure through", async () => {
  await using source = await SourceServer.open();
  await using serving = enoki(source, "run", "--broker", "memory:", "./missing.ts");
  assert.equal((await serving.ended()).code, 2);
});

for (const config of [undefined, "{}"]) {
  const project = config === undefined ? "no deno.json" : "an empty deno.json";
  Deno.test(`a project with ${project} serves, calls and tests services by URL`, async () => {
    await using source = await SourceServer.open();
    if (config !== undefined) await source.write("deno.json", config);
    await source.write("service.ts", SERVICE);
    await source.write("main.ts", LIBRARY);
    const flags = ["-A", "--quiet", ...(config === undefined ? ["--check"] : [])];
    await using program = deno(source, "run", ...flags, "main.ts", brokerOf(source));
    const { out, err, code } = await program.ended();
    assert.equal(code, 0, err);
    assert.deepEqual(out.split("\n"), [
      "Hello, test!",
      "Hello, program!",
      'NotCapable Cannot read variable "TOKEN" in greeter.token: not permitted. Allow it with --allow-env=TOKEN',
      "",
    ]);
  });
}

Deno.test("run() says which flag is missing where a restricted thread would end the process", async () => {
  await using source = await SourceServer.open();
  await source.write("service.ts", SERVICE);
  await source.write("main.ts", LIBRARY);
  await using program = deno(source, "run", "-A", "--quiet", "main.ts", brokerOf(source), "threads");
  const { code, err } = await program.ended();
  assert.equal(code, 1);
  assert.match(
    err,
    /ConfigurationError: Cannot restrict .*: .*Add --unstable-worker-options after deno run/,
  );
});

Deno.test("run() takes the option for restricted threads from a deno.json, and not from its comments", async () => {
  await using source = await SourceServer.open();
  await source.write("service.ts", SERVICE);
  await source.write("main.ts", LIBRARY);
  await source.write("deno.json", '{ // "unstable": ["worker-options"]\n}');
  {
    await using program = deno(source, "run", "-A", "--quiet", "main.ts", brokerOf(source), "threads");
    const { code, err } = await program.ended();
    assert.equal(code, 1);
    assert.match(err, /ConfigurationError: Cannot restrict/);
  }
  await source.write("deno.json", '{ "unstable": ["worker-options", /* , */], // "a"\n}');
  await using program = deno(source, "run", "-A", "--quiet", "main.ts", brokerOf(source), "threads");
  const { code, err } = await program.ended();
  assert.equal(code, 0, err);
});
