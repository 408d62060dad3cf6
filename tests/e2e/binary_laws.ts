import { EXTENSION, natsTest } from "../extensions/nats/nats_stage.ts";
import assert from "node:assert/strict";
import { dirname } from "node:path";
import { Receiver } from "../extensions/otel/receiver.ts";
import { ModuleOrigin } from "../fixtures/module_origin.ts";
import { HAS_TERMINAL, Terminal } from "../fixtures/terminal.ts";
import { type Binaries, compile, COMPILER, SHOP } from "./binaries.ts";
import { Program, type ProgramOptions, runProgram } from "./program.ts";

/** Bytes that the runtime may add to what every binary of Deno has. */
const SIZE_LIMIT = 20_000_000;

const MOD = new URL("../../mod.ts", import.meta.url).href;

const CLASSES = new URL("../extensions/decorators/classes.ts", import.meta.url).pathname;

const VERSIONS = /^enoki \d+\.\d+\.\d+(?:, revision \S+)?\ndeno \S+, v8 \S+, \w+-\w+-\w+(?:-\w+)?\n$/;

/** Flags for a service that uses a database, at an address where none is. */
const NO_DATABASE = ["--define", "SQL=postgres://127.0.0.1:1/none", "--allow-net=127.0.0.1:1"];

/** What a driver says of that. The driver can only say it if its package is there. */
const DRIVER_ERROR = /DatabaseUnavailableError: Cannot reach .*127\.0\.0\.1:1/;

/** Registers what only binaries do. */
export function binaryLaws({ folder, generic, application, empty }: Binaries): void {
  /** A program with nothing to stand on: no environment, and a folder in which nothing can be written. */
  const nowhere: ProgramOptions = { clearEnv: true, cwd: "/proc" };
  const quietly = ["--broker", "memory:", "--http", "127.0.0.1:0"];

  Deno.test("The generic binary says which versions it is made of", async () => {
    const { status, out, err } = await runProgram([generic, "--version"], nowhere);
    assert.deepEqual({ status, err }, { status: 0, err: "" });
    assert.match(out, VERSIONS);
  });

  Deno.test("The application binary says its name and which versions it is made of", async () => {
    const { status, out } = await runProgram([application, "--version"], nowhere);
    assert.equal(status, 0);
    assert.match(out, /^shop(?:, revision \S+)?\n/);
    assert.match(out.slice(out.indexOf("\n") + 1), VERSIONS);
  });

  Deno.test("The application binary explains its flags, and no commands", async () => {
    const { status, out } = await runProgram([application, "--help"], nowhere);
    assert.equal(status, 0);
    assert.match(out, /^Usage: shop \[options\]\n/);
    assert.match(out, /--max-workers/);
    assert.doesNotMatch(out, /<module|describe|--lock/);
  });

  Deno.test("The application binary needs no environment, no HOME and no folder to write in", async () => {
    await using program = new Program([application, ...quietly], nowhere);
    await program.says("Ready on memory:");
    const url = /and (http:\S+)/.exec(program.err)![1]!;
    assert.deepEqual(await (await fetch(`${url}/orders/3`)).json(), { id: 3 });
  });

  Deno.test("The generic binary needs no environment, no HOME and no folder to write in", async () => {
    await using program = new Program([generic, "run", ...quietly, SHOP], nowhere);
    await program.says("Ready on memory:");
  });

  Deno.test("The configuration inside a binary holds where nothing else is said", async () => {
    await using program = new Program([application, ...quietly], nowhere);
    await program.says("threads  1 of up to 3");
  });

  Deno.test("The configuration inside a binary yields to a file and to flags", async () => {
    const file = `${folder}/more.yaml`;
    await Deno.writeTextFile(file, "max_workers: 4\n");
    for (const [flags, threads] of [[["--config", file], 4], [["--max-workers", "5"], 5]] as const) {
      await using program = new Program([application, ...quietly, ...flags], nowhere);
      await program.says(`threads  1 of up to ${threads}`);
    }
  });

  Deno.test("The configuration inside a binary has its variables filled in where it runs", async () => {
    const { status, err } = await runProgram([application, ...quietly], {
      ...nowhere,
      env: { SHOP_GRACE: "soon" },
    });
    assert.equal(status, 2);
    assert.match(err, /"grace".*"soon"/);
  });

  Deno.test("The generic binary serves a module of the network", async () => {
    await using origin = new ModuleOrigin({ "/shop.ts": await Deno.readTextFile(SHOP) });
    await using program = new Program([generic, "run", ...quietly, origin.url("/shop.ts")], nowhere);
    await program.says("Ready on memory:");
  });

  Deno.test("An application binary needs no network for a module of the network", async () => {
    const path = `${folder}/far_shop`;
    {
      await using origin = new ModuleOrigin({ "/shop.ts": await Deno.readTextFile(SHOP) });
      await compile(origin.url("/shop.ts"), "-o", path);
    }
    await using program = new Program([path, ...quietly], nowhere);
    await program.says("Ready on memory:");
  });

  Deno.test("An application binary has inside the packages of a module of the network, and its names", async () => {
    const path = `${folder}/far`;
    let url: string;
    {
      await using origin = new ModuleOrigin({
        "/service.ts": `
          import { rpc, service } from "@enoki/enoki";
          import { sql, sqlTemplate } from "@enoki/enoki/sql";
          import { Cron } from "npm:croner@11.0.1";
          export default service(typeof Cron, {
            dependencies: { db: sql() },
            entrypoints: { a: rpc(), b: rpc() },
            handlers: { a() { throw new Error(); }, b: ({ db }) => sqlTemplate\`select 1\`.execute(db.pool) },
          });`,
      });
      url = origin.url("/service.ts");
      await compile(url, "-o", path);
    }
    const broker = `local://${folder}/far.sock`;
    await using program = new Program([path, "--broker", broker, ...NO_DATABASE], nowhere);
    await program.says(/\nfunction\n {2}rpc +a\n[^]*Ready on/);
    await runProgram([generic, "call", "--broker", broker, "function.a"]);
    await program.says(`${url}:8:`);
    const { err } = await runProgram([generic, "call", "--broker", broker, "function.b"]);
    assert.match(err, DRIVER_ERROR);
  });

  Deno.test("A binary holds an optional part if a service uses it, and else says how to get it", async () => {
    const [module, path] = [`${folder}/database.ts`, `${folder}/database`];
    await Deno.writeTextFile(
      module,
      `import { rpc, service } from "@enoki/enoki";
      import { sql, sqlTemplate } from "@enoki/enoki/sql";
      export default service("database", {
        dependencies: { db: sql<Record<string, never>>() },
        entrypoints: { ask: rpc() },
        handlers: { ask: ({ db }) => sqlTemplate\`select 1\`.execute(db.pool) },
      });`,
    );
    await compile(module, "-o", path);
    const broker = `local://${folder}/database.sock`;
    await using program = new Program([path, "--broker", broker, ...NO_DATABASE], nowhere);
    await program.says("Ready on");
    const { err } = await runProgram([generic, "call", "--broker", broker, "database.ask"], nowhere);
    assert.match(err, DRIVER_ERROR);
    const sizes = await Promise.all([path, application].map(async (each) => (await Deno.stat(each)).size));
    assert.ok(sizes[0]! > sizes[1]! + 3_000_000, "the application has packages that it does not need");
    const refused = await runProgram([generic, "run", ...quietly, module], nowhere);
    assert.equal(refused.status, 2);
    assert.match(refused.err, /Cannot import @enoki\/enoki\/sql: this binary does not hold that part/);
    assert.ok(refused.err.includes(`enoki compile file://${module}, or `), refused.err);
    assert.ok(refused.err.includes("with enoki compile --with sql"), refused.err);
  });

  Deno.test("An application binary has inside what the deno.json of its project names", async () => {
    const project = `${folder}/project`;
    await Deno.mkdir(project);
    const imports = { "enoki": MOD, "#rest": `file://${project}/rest.ts`, "croner": "npm:croner@11.0.1" };
    const files = {
      "deno.json": `{ "imports": ${JSON.stringify(imports)} } // a comment`,
      "rest.ts": 'export { Cron } from "croner";',
      "service.ts": `
        import { service } from "enoki";
        import { rpc } from "@enoki/enoki";
        import { Cron } from "#rest";
        export default service(typeof Cron, { entrypoints: { a: rpc() }, handlers: { a: () => 1 } });`,
    };
    for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(`${project}/${name}`, text);
    await compile(`${project}/service.ts`, "-o", `${folder}/named`);
    await Deno.remove(project, { recursive: true });
    await using program = new Program([`${folder}/named`, ...quietly], nowhere);
    await program.says(/\nfunction\n {2}rpc +a\n[^]*Ready on memory:/);
  });

  /** An extension with a transport of its own, as a stranger writes it. */
  const NEST = `
    import { extension } from "@enoki/enoki/hosting";
    import { local } from "@enoki/enoki/local";
    const nest = (uri, options) => local({ ...options, address: uri.replace("nest:", "local:") });
    export default extension({ transports: { nest } });`;

  Deno.test("The generic binary loads an extension from a file", async () => {
    const extension = `${folder}/nest.ts`;
    await Deno.writeTextFile(extension, NEST);
    const broker = `nest://${folder}/generic.sock`;
    await using program = new Program(
      [generic, "run", "--extension", extension, "--broker", broker, "--http", "127.0.0.1:0", SHOP],
      nowhere,
    );
    await program.says(/Ready on \S*generic\.sock/);
  });

  Deno.test("The generic binary says how to compile an extension that needs a package", async () => {
    const extension = `${folder}/packaged.ts`;
    await Deno.writeTextFile(extension, `import "npm:croner@11.0.1";\n${NEST}`);
    const { status, err } = await runProgram([generic, "run", "--extension", extension, SHOP], nowhere);
    assert.equal(status, 2);
    const command = `enoki compile --extension file://${extension} <module>, or import a URL`;
    assert.ok(err.includes(command), err);
  });

  Deno.test("A binary has inside the extensions that its configuration and its flags name", async () => {
    const [path, config] = [`${folder}/nested`, `${folder}/nested.yaml`];
    const [extension, other] = [`${folder}/inside.ts`, `${folder}/other.ts`];
    await Deno.writeTextFile(extension, NEST);
    await Deno.writeTextFile(other, NEST.replaceAll("nest", "nest2"));
    await Deno.writeTextFile(config, `extensions: [${extension}]\nTRANSPORT: nest://${folder}/inside.sock\n`);
    await compile(SHOP, "-o", path, "--config", config, "--extension", other);
    await Promise.all([extension, other].map((file) => Deno.remove(file)));
    await using program = new Program([path, "--http", "127.0.0.1:0"], nowhere);
    await program.says(/Ready on \S*inside\.sock/);
    await using second = new Program(
      [path, "--broker", `nest2://${folder}/2.sock`, "--http", "127.0.0.1:0"],
      nowhere,
    );
    await second.says(/Ready on \S*2\.sock/);
  });

  natsTest("a binary has the transport with its packages inside", async (stage) => {
    const path = `${folder}/over_nats`;
    await compile(SHOP, "-o", path, "--extension", EXTENSION.pathname);
    await using program = new Program([path, "--broker", stage.broker, "--http", "127.0.0.1:0"], nowhere);
    await program.says(/Ready on nats:/);
  });

  Deno.test("A binary serves classes, the generic one as well as their own", async () => {
    const path = `${folder}/classes`;
    await compile(CLASSES, "-o", path);
    for (const [n, rest] of [[], ["run", CLASSES]].entries()) {
      const broker = `local://${folder}/classes_${n}.sock`;
      await using program = new Program([n === 0 ? path : generic, ...rest, "--broker", broker], nowhere);
      await program.says("Ready on");
      const { out, err } = await runProgram(
        [generic, "call", "--broker", broker, "orders.place", "note=hot", "item=tea"],
        nowhere,
      );
      assert.deepEqual({ out, err }, { out: `["tea","1 × tea","Ada","hot","place"]\n`, err: "" });
    }
  });

  Deno.test("The generic binary has the shell, with the parser and the editor of lines inside", async () => {
    const broker = `local://${folder}/shell.sock`;
    await using program = new Program([application, ...quietly, "--broker", broker], nowhere);
    await program.says("Ready on");
    const shell = [generic, "shell", "--broker", broker] as const;
    const script = 'import { EOL } from "node:os"; const sum = await n.rpc.shop.add(1, 2); [sum, EOL]';
    const { out, err } = await runProgram([...shell, "-e", script], nowhere);
    assert.deepEqual({ out, err }, { out: '[ 3, "\\n" ]\n', err: "" });
    if (!HAS_TERMINAL) return;
    await using terminal = new Terminal(shell);
    await terminal.shows("> ");
    await terminal.type("n.rpc.shop.add(1, 2)\r");
    await terminal.shows("\n3\n> ");
    await terminal.type("n.rpc.sh");
    await terminal.shows("n.rpc.sh");
    await terminal.type("\t");
    await terminal.shows("op");
  });

  Deno.test("A binary exports to OpenTelemetry if it was made with --otel, and else says why not", async () => {
    const binary = `${folder}/traced`;
    await compile(SHOP, "-o", binary, "--otel");
    await using receiver = new Receiver();
    const env = receiver.env("traced");
    await using program = new Program([binary, ...quietly], { env });
    await program.says("Ready on memory:");
    const url = /and (http:\S+)/.exec(program.err)![1]!;
    await (await fetch(`${url}/orders/3`)).body?.cancel();
    const names = ["shop.show", "GET /orders/<int:id>"];
    await receiver.until(({ spans }) => names.every((each) => spans.some(({ name }) => name === each)));
    await using silent = new Program([application, ...quietly], { env });
    await silent.says("OTEL_DENO has no effect in this binary");
  });

  Deno.test("The generic binary compiles with the deno on the PATH", async () => {
    const path = `${folder}/by_binary`;
    const { status, err } = await runProgram([generic, "compile", SHOP, "-o", path], {
      env: { PATH: `${dirname(COMPILER)}:${Deno.env.get("PATH")}`, DENO_TLS_CA_STORE: "mozilla,system" },
    });
    assert.deepEqual({ status, err }, { status: 0, err: `Compiling ${path}\nWrote ${path}\n` });
    await using program = new Program([path, ...quietly], nowhere);
    await program.says("Ready on memory:");
    const versions = await Promise.all(
      [generic, path].map((each) => runProgram([each, "--version"], nowhere)),
    );
    const [own, made] = versions.map(({ out }) => out.split("\n").find((line) => line.startsWith("enoki ")));
    assert.equal(made, own);
    const [size, most] = await Promise.all(
      [path, application].map(async (each) => (await Deno.stat(each)).size),
    );
    assert.ok(
      size! < most! + 1_000_000,
      `it is ${size! - most!} bytes larger than one that deno run compiles`,
    );
  });

  Deno.test("The generic binary compiles nothing without a deno, and says so", async () => {
    const { status, err } = await runProgram([generic, "compile", SHOP, "-o", `${folder}/never`], nowhere);
    assert.equal(status, 2);
    assert.match(err, /^Cannot compile: .* there is none on PATH\. Install Deno, \S+\n$/);
  });

  Deno.test("The generic binary is at most 20 MB larger than what deno compile makes of nothing", async () => {
    const [size, least] = await Promise.all(
      [generic, empty].map(async (path) => (await Deno.stat(path)).size),
    );
    assert.ok(size! - least! < SIZE_LIMIT, `it is ${size! - least!} bytes larger`);
  });

  Deno.test("An application holds neither the code of commands nor the types of Enoki's packages", async () => {
    const text = new TextDecoder("latin1").decode(await Deno.readFile(application));
    for (const name of ["shell.ts", "doctor.ts", "acorn.d.ts"]) {
      assert.ok(!text.includes(`"n":"${name}"`), `it holds ${name}`);
    }
    assert.ok(text.includes('"n":"acorn.mjs"'), "its files have other names");
  });
}
