/** The configuration that nobody names: `enoki.yaml` of the working folder. */
import assert from "node:assert/strict";
import { resolve } from "node:path";
import { TestFolder } from "../fixtures/module_origin.ts";
import { Command, type CommandOptions, type Ended, enoki } from "./command.ts";

const GREETING = resolve("examples/greeting/service.ts");

/** A folder with files, which is removed after the test. */
async function withFiles(
  files: Readonly<Record<string, string>>,
  test: (folder: string) => Promise<void>,
): Promise<void> {
  await using folder = new TestFolder();
  for (const [name, text] of Object.entries(files)) await Deno.writeTextFile(folder.file(name), text);
  await test(folder.path);
}

/** Shows a configuration. */
function shown(options: CommandOptions, ...flags: readonly string[]): Promise<Ended> {
  return enoki(["config", ...flags], options);
}

Deno.test("a command takes enoki.yaml of the working folder, and says so", async () => {
  for (const name of ["enoki.yaml", "enoki.yml"]) {
    await withFiles({ [name]: "max_workers: 3\n" }, async (folder) => {
      assert.deepEqual(await shown({ folder }), {
        status: 0,
        out: "max_workers: 3\n",
        err: `Using ${folder}/${name}\n`,
      });
    });
  }
});

Deno.test("--config wins over the file of the working folder, and --no-config takes none", async () => {
  await withFiles({ "enoki.yaml": "max_workers: 3\n", "app.yaml": "max_workers: 4\n" }, async (folder) => {
    const named = await shown({ folder }, "--config", `${folder}/app.yaml`);
    assert.deepEqual({ out: named.out, err: named.err }, { out: "max_workers: 4\n", err: "" });
    const none = await shown({ folder }, "--no-config");
    assert.deepEqual({ out: none.out, err: none.err }, { out: "{}\n", err: "" });
  });
});

Deno.test("the files of the folders above and below do not count, nor does a folder of that name", async () => {
  await withFiles({ "enoki.yaml": "max_workers: 3\n" }, async (folder) => {
    await Deno.mkdir(`${folder}/inner/enoki.yaml`, { recursive: true });
    assert.equal((await shown({ folder: `${folder}/inner` })).out, "{}\n");
    await Deno.rename(`${folder}/enoki.yaml`, `${folder}/inner/enoki.yml`);
    assert.equal((await shown({ folder })).out, "{}\n");
  });
});

Deno.test("two files in the working folder are refused, whichever was meant", async () => {
  await withFiles({ "enoki.yaml": "", "enoki.yml": "" }, async (folder) => {
    assert.deepEqual(await shown({ folder }), {
      status: 2,
      out: "",
      err: `Cannot choose a configuration: there are ${folder}/enoki.yaml and ${folder}/enoki.yml. ` +
        "Remove one, or name one by --config\n",
    });
  });
});

Deno.test("what is wrong in the file of the working folder is refused with its place", async () => {
  await withFiles({ "enoki.yaml": "# limits\nmax_workers: many\n" }, async (folder) => {
    for (const words of [["run", GREETING], ["compile", GREETING], ["call", "--broker", "memory:", "a.b"]]) {
      const { status, err } = await enoki(words, { folder });
      assert.equal(status, 2);
      assert.match(
        err,
        /^Cannot use config key "max_workers" in line 2 of \S+enoki\.yaml: got "many"/m,
        words[0],
      );
    }
  });
});

Deno.test("enoki run says which file it has found before it serves", async () => {
  await withFiles({ "enoki.yaml": "TRANSPORT: 'memory:'\nmax_workers: 3\n" }, async (folder) => {
    const serving = new Command(["run", GREETING], { folder });
    await serving.says("Ready on memory:");
    serving.signal("SIGTERM");
    const { err } = await serving.ended;
    assert.match(err, new RegExp(`^Using ${folder}/enoki\\.yaml\n[^]*of up to 3,`));
  });
});

Deno.test("config --all shows every setting with its value, its default and where it is from, and no secret", async () => {
  const text =
    "HEARTBEAT: 20\nservices:\n  orders:\n    call_timeout: 2s\nOWN_PASSWORD: secret\nSQL: mysql://a:pass@h/d\n";
  await withFiles({ "enoki.yaml": text }, async (folder) => {
    const options = { folder, env: { WEB_SERVER_ADDRESS: "9000" } };
    const words = ["--all", "--json", "--broker", "memory:", "--define", "grace=5s"];
    const { out } = await shown(options, ...words);
    const rows: readonly Readonly<Record<string, unknown>>[] = JSON.parse(out);
    const facts = (key: string) => {
      const { section, value, default: fallback, origin } = rows.find((row) => row["key"] === key)!;
      return [section, value, fallback, origin];
    };
    assert.deepEqual(facts("HEARTBEAT"), ["amqp", 20, "1m", `${folder}/enoki.yaml:1`]);
    assert.deepEqual(facts("services.orders.call_timeout"), [
      "runtime",
      "2s",
      null,
      `${folder}/enoki.yaml:4`,
    ]);
    assert.deepEqual(facts("TRANSPORT"), ["runtime", "memory:", null, "flag"]);
    assert.deepEqual(facts("grace"), ["runtime", "5s", "30s", "--define"]);
    assert.deepEqual(facts("WEB_SERVER_ADDRESS"), ["http", "9000", "0.0.0.0:8000", "environment"]);
    assert.deepEqual(facts("max_workers"), ["runtime", 10, 10, "default"]);
    assert.deepEqual(facts("AMQP_URI"), ["runtime", null, null, null]);
    assert.deepEqual(facts("SQL"), ["sql", "mysql://a:********@h/d", null, `${folder}/enoki.yaml:6`]);
    assert.deepEqual(facts("OWN_PASSWORD"), ["services", "********", null, `${folder}/enoki.yaml:5`]);
    const table = (await shown(options, "--all")).out.split("\n");
    assert.match(table[0]!, /^SECTION +KEY +VALUE +DEFAULT +FROM$/);
    assert.ok(table.some((line) => /^amqp +HEARTBEAT +20 +1m +\S+enoki\.yaml:1$/.test(line)));
    assert.ok(!table.join("\n").includes("secret"));
  });
});
