import assert from "node:assert/strict";
import { dirname, join } from "node:path";
import { connect } from "../../extensions/run.ts";
import { EditedModules, type Version } from "../fixtures/edited_module.ts";
import { Command, enoki, withBroker } from "./command.ts";

const NAME = "enoki_test_edited";

/** `enoki run --watch`, with what it serves in a folder of its own. */
interface Watched {
  readonly command: Command;
  readonly modules: EditedModules;
  readonly broker: string;
  /** What a service answers now. */
  version(service?: string): Promise<unknown>;
}

/** Runs a test while modules are served and watched. */
async function withWatch(
  files: Readonly<Record<string, Version | string>>,
  test: (watched: Watched) => Promise<void>,
  { served = ["service.ts"], flags = ["-A"] }: {
    readonly served?: readonly string[];
    readonly flags?: readonly string[];
  } = {},
): Promise<void> {
  await withBroker(async (broker) => {
    await using modules = await EditedModules.open();
    for (const [name, version] of Object.entries(files)) await modules.write(name, version);
    const paths = served.map((name) => modules.path(name));
    const command = new Command(["run", "--watch", "--broker", broker, ...flags, ...paths]);
    try {
      await command.says("Ready on");
      const version = async (service = NAME) => {
        const { out, err } = await enoki(["call", "--broker", broker, `${service}.version`]);
        assert.equal(err, "");
        return JSON.parse(out);
      };
      await test({ command, modules, broker, version });
    } finally {
      command.signal("SIGTERM");
      const { status, err } = await command.ended;
      assert.equal(status, 0, err);
    }
  });
}

Deno.test("enoki run --watch serves the new version of a file that was saved, and says so", () =>
  withWatch({ "service.ts": { number: 1 } }, async ({ command, modules, version }) => {
    assert.equal(await version(), 1);
    await modules.write("service.ts", { number: 2 });
    await command.says(`Reloaded ${NAME} in `);
    assert.equal(await version(), 2);
  }));

Deno.test("enoki run --watch follows editors that rename, without permissions, too", () =>
  withWatch(
    { "service.ts": { number: 1 } },
    async ({ command, modules, version }) => {
      await modules.replace("service.ts", { number: 2 });
      await command.says(`Reloaded ${NAME} in `);
      assert.equal(await version(), 2);
    },
    { flags: [] },
  ));

Deno.test("enoki run --watch reloads all modules that a shared file belongs to", () => {
  const source = (name: string) => ({
    number: 1,
    name,
    before: 'import { word } from "./word.ts"; void word;',
  });
  return withWatch(
    { "word.ts": "export const word = 1;", "a.ts": source("enoki_test_a"), "b.ts": source("enoki_test_b") },
    async ({ command, modules }) => {
      await modules.write("word.ts", "export const word = 2;");
      await command.says("Reloaded enoki_test_a in ");
      await command.says("Reloaded enoki_test_b in ");
    },
    { served: ["a.ts", "b.ts"] },
  );
});

Deno.test("enoki run --watch goes on with the former version while the new one is broken", () =>
  withWatch({ "service.ts": { number: 1 } }, async ({ command, modules, version }) => {
    await modules.write("service.ts", "export default {");
    await command.says("The former version goes on");
    assert.equal(await version(), 1);
    await modules.write("service.ts", { number: 3 });
    await command.says(`Reloaded ${NAME} in `);
    assert.equal(await version(), 3);
    command.signal("SIGTERM");
    const { err } = await command.ended;
    assert.equal(err.split("Cannot reload ").length, 2, err);
    assert.match(err, /\nCannot reload .*service\.ts: [^]*service\.ts:1:\d+[^]*The former version goes on\n/);
  }));

Deno.test("enoki run --watch waits at the start for a broken module to be mended, or for the end", () =>
  withBroker(async (broker) => {
    await using modules = await EditedModules.open();
    const path = await modules.write("service.ts", "export default {");
    const run = ["run", "-A", "--watch", "--broker", broker, path];
    const stopped = new Command(run);
    await stopped.says("Waiting for a change");
    stopped.signal("SIGTERM");
    assert.equal((await stopped.ended).status, 0);
    const command = new Command(run);
    await command.says("Waiting for a change");
    await modules.write("service.ts", { number: 1 });
    await command.says("Ready on");
    command.signal("SIGTERM");
    assert.equal((await command.ended).status, 0);
  }));

Deno.test("enoki run --watch sees the file come that was missing", () =>
  withWatch({ "service.ts": { number: 1 } }, async ({ command, modules, version }) => {
    await modules.write("service.ts", { number: 2, before: 'import "./late.ts";' });
    await command.says("The former version goes on");
    await modules.write("late.ts", "export {};");
    await command.says(`Reloaded ${NAME} in `);
    assert.equal(await version(), 2);
  }));

Deno.test("enoki run --watch gives up a version that does not load when the file is saved again", () =>
  withWatch({ "service.ts": { number: 1 } }, async ({ command, modules, version }) => {
    const loading = Promise.withResolvers<void>();
    using server = Deno.listen({ hostname: "127.0.0.1", port: 0 });
    void server.accept().then((connection) => (connection.close(), loading.resolve()));
    const before = `await Deno.connect({ hostname: "127.0.0.1", port: ${server.addr.port} });
      await new Promise(() => {});`;
    await modules.write("service.ts", { number: 2, before });
    await loading.promise;
    await modules.write("service.ts", { number: 3 });
    await command.says(`Reloaded ${NAME} in `);
    assert.equal(await version(), 3);
  }));

Deno.test("enoki run --watch loses no call while files change", () =>
  withWatch({ "service.ts": { number: 1 } }, async ({ modules, broker }) => {
    await using cluster = await connect({ broker });
    const service = cluster.client(NAME);
    const answers: unknown[] = [];
    let over = false;
    const callers = Promise.all(Array.from({ length: 4 }, async () => {
      while (!over) answers.push(await service["version"]!());
    }));
    try {
      const extra = { method: "extra", entrypoint: "rpc()", handler: "() => 1" };
      for (const number of [2, 3, 4]) {
        await modules.replace("service.ts", { number, more: number === 3 ? [extra] : [] });
        while (await service["version"]!() !== number);
      }
    } finally {
      over = true;
      await callers;
    }
    assert.deepEqual([...new Set(answers)].sort(), [1, 2, 3, 4]);
  }));

Deno.test("enoki run --watch says that a change of the configuration needs a restart", () =>
  withBroker(async (broker, folder) => {
    await using modules = await EditedModules.open();
    const path = await modules.write("service.ts", { number: 1 });
    const config = `${folder}/app.yaml`;
    await Deno.writeTextFile(config, "max_workers: 2\n");
    const command = new Command(["run", "-A", "--watch", "--broker", broker, "--config", config, path]);
    await command.says("Ready on");
    await Deno.writeTextFile(config, "max_workers: 3\n");
    await command.says(`${config} has changed. Restart to use it`);
    command.signal("SIGTERM");
    assert.equal((await command.ended).status, 0);
  }));

Deno.test("enoki run --watch says that a change of deno.json needs a restart", () =>
  withBroker(async (broker) => {
    await using modules = await EditedModules.open();
    const path = await modules.write("service.ts", { number: 1 });
    const config = join(dirname(path), "deno.json");
    await Deno.writeTextFile(config, "{}");
    const command = new Command(["run", "-A", "--watch", "--broker", broker, path]);
    await command.says("Ready on");
    await Deno.writeTextFile(config, '{ "imports": {} }');
    await command.says("deno.json has changed. Restart to use it");
    command.signal("SIGTERM");
    assert.equal((await command.ended).status, 0);
  }));

Deno.test("enoki run --watch says that a change of an extension, or of what it imports, needs a restart", () =>
  withBroker(async (broker, folder) => {
    await using modules = await EditedModules.open();
    const path = await modules.write("service.ts", { number: 1 });
    const hosting = import.meta.resolve("../../runtime/hosting/mod.ts");
    const text =
      `import { extension } from "${hosting}";\nimport "./inner.ts";\nexport default extension({});\n`;
    const inner = await modules.write("inner.ts", "export {};\n");
    const [named, flagged] = [await modules.write("named.ts", text), await modules.write("flagged.ts", text)];
    const config = `${folder}/app.yaml`;
    await Deno.writeTextFile(config, `extensions: [${named}]\n`);
    const flags = ["-A", "--watch", "--config", config, "--extension", flagged];
    const command = new Command(["run", "--broker", broker, ...flags, path]);
    await command.says("Ready on");
    for (const [name, file] of [["named", named], ["flagged", flagged], ["inner", inner]] as const) {
      await Deno.writeTextFile(file, name === "inner" ? "export {};\n\n" : `${text}\n`);
      await command.says(`${name}.ts has changed. Restart to use it`);
    }
    command.signal("SIGTERM");
    assert.equal((await command.ended).status, 0);
  }));

Deno.test("enoki run --watch with JSON logs writes nothing but JSON", () =>
  withBroker(async (broker) => {
    await using modules = await EditedModules.open();
    const path = await modules.write("service.ts", { number: 1 });
    const command = new Command(["run", "-A", "--watch", "--broker", broker, "--log-format", "json", path]);
    await command.says("Ready");
    await modules.write("service.ts", "export default {");
    await command.says("Cannot reload");
    await modules.write("service.ts", { number: 2 });
    await command.says("Reloaded");
    command.signal("SIGTERM");
    const lines = (await command.ended).err.trimEnd().split("\n").map((line) => JSON.parse(line));
    const [, failure, success] = lines;
    assert.match(failure.message, /^Cannot reload .*service\.ts: /);
    assert.deepEqual(success.properties.services, [NAME]);
  }));
