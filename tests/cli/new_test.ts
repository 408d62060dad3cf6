import assert from "node:assert/strict";
import { relative } from "node:path";
import { TEMPLATE_NAMES, type TemplateName, TEMPLATES } from "../../extensions/cli/create/templates.ts";
import { freePort } from "../fixtures/free_port.ts";
import { Command, type Ended, enoki, withBroker } from "./command.ts";

async function withFolder(test: (folder: string) => Promise<void>): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-new-" });
  try {
    await test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

/** Runs a command of Deno in a folder, which must have nothing to complain of. */
async function succeeds(folder: string, ...args: readonly string[]): Promise<string> {
  const { success, stdout, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd: folder,
    stdin: "null",
    stdout: "piped",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  const text = new TextDecoder();
  assert.ok(success, `deno ${args.join(" ")}: ${text.decode(stdout)}${text.decode(stderr)}`);
  return text.decode(stdout);
}

/** Checks the types of projects in one program, as their settings differ in nothing that the compiler reads. */
async function checkTogether(folder: string): Promise<void> {
  const settings = await Promise.all(TEMPLATE_NAMES.map(async (name) => {
    const { tasks: _tasks, ...others } = JSON.parse(await Deno.readTextFile(`${folder}/${name}/deno.json`));
    return others;
  }));
  for (const others of settings) assert.deepEqual(others, settings[0]);
  const files = await Array.fromAsync(TEMPLATE_NAMES, async (name) => {
    const paths = Object.keys((await TEMPLATES[name]()).files);
    return paths.filter((path) => path.endsWith(".ts")).map((path) => `${name}/${path}`);
  });
  await succeeds(folder, "check", "--config", `${TEMPLATE_NAMES[0]}/deno.json`, ...files.flat());
}

/** Serves a project as its task does, on a broker of its own. */
async function whileServed(
  name: TemplateName,
  test: (broker: string, http: string) => Promise<void>,
): Promise<void> {
  await withBroker(async (broker, folder) => {
    const project = `${folder}/${name}`;
    assert.equal((await enoki(["new", "--template", name, project])).status, 0);
    const { modules } = await TEMPLATES[name]();
    const http = `127.0.0.1:${freePort()}`;
    const options = ["--log-level", "error", "--http", http];
    const paths = modules.map((module) => `${project}/${module}`);
    const serving = new Command(["run", "--broker", broker, ...options, ...paths], { folder: project });
    try {
      await serving.says("Ready on");
      await test(broker, http);
    } finally {
      serving.signal("SIGTERM");
      await serving.ended;
    }
  });
}

Deno.test("a new project of each template is formatted, passes lint, and passes its own tests", async () => {
  await withFolder(async (folder) => {
    for (const name of TEMPLATE_NAMES) {
      const { status, err } = await enoki(["new", "--template", name, `${folder}/${name}`]);
      assert.deepEqual({ status, err }, { status: 0, err: "" });
    }
    await succeeds(folder, "fmt", "--check");
    await succeeds(folder, "lint");
    await checkTogether(folder);
    await Promise.all(TEMPLATE_NAMES.map(async (name) => {
      const passed = await succeeds(`${folder}/${name}`, "test", "-A", "--no-check");
      assert.match(passed, /[1-9] passed \| 0 failed/);
    }));
  });
});

for (const name of ["rpc", "events"] as const) {
  Deno.test(`what the readme of a new project of template ${name} says to try prints what it says`, async () => {
    const { attempt } = await TEMPLATES[name]();
    await whileServed(name, async (broker) => {
      const [command, ...words] = attempt.words.match(/'[^']*'|\S+/g)!.map((word) =>
        word.replaceAll("'", "")
      );
      const { out, err } = await enoki([command!, "--broker", broker, ...words]);
      assert.deepEqual({ out, err }, { out: `${attempt.prints}\n`, err: "" });
    });
  });
}

for (const name of ["http", "full"] as const) {
  Deno.test(`what the readme of a new project of template ${name} says to try answers what it says`, async () => {
    const { attempt } = await TEMPLATES[name]();
    await whileServed(name, async (_broker, http) => {
      const [, body, path] = /^(?:-d '(.*)' )?http:\/\/[^/]+(\S+)$/.exec(attempt.words)!;
      const response = await fetch(
        `http://${http}${path}`,
        body === undefined ? {} : { method: "POST", body },
      );
      assert.equal(await response.text(), attempt.prints);
    });
  });
}

Deno.test("new says what it has made and what comes next", async () => {
  await withFolder(async (folder) => {
    const path = relative(Deno.cwd(), `${folder}/hello`);
    const { out } = await enoki(["new", path]);
    assert.equal(
      out,
      `Made ${path}: deno.json, enoki.yaml, greetings.ts, greetings_test.ts, .gitignore, Dockerfile, README.md\n\n` +
        `Next:\n  cd ${path}\n  deno task dev\n` +
        "  deno task enoki call greetings.hello Ada    # in a second terminal\n",
    );
  });
});

Deno.test("new takes Enoki from where it is told", async () => {
  await withFolder(async (folder) => {
    await enoki(["new", "--from", "https://enoki.example/v1", `${folder}/hello`]);
    const { imports, tasks } = JSON.parse(await Deno.readTextFile(`${folder}/hello/deno.json`));
    assert.equal(imports["@enoki/enoki"], "https://enoki.example/v1/mod.ts");
    assert.equal(tasks.enoki, "deno run -A https://enoki.example/v1/cli.ts");
  });
});

Deno.test("new refuses a folder with files in it, and leaves it as it is", async () => {
  await withFolder(async (folder) => {
    await Deno.writeTextFile(`${folder}/mine.txt`, "mine");
    const { status, err } = await enoki(["new", folder]);
    assert.equal(status, 2);
    assert.equal(err, `Cannot make a project in ${folder}: the folder is not empty. Name a new folder\n`);
    assert.deepEqual([...Deno.readDirSync(folder)].map(({ name }) => name), ["mine.txt"]);
  });
});

Deno.test("new takes an empty folder", async () => {
  await withFolder(async (folder) => assert.equal((await enoki(["new", folder])).status, 0));
});

Deno.test("new refuses a name that is no name", async () => {
  await withFolder(async (folder) => {
    const { status, err } = await enoki(["new", `${folder}/a b`]);
    assert.equal(status, 2);
    assert.match(err, /^Cannot make a project "a b": a name has letters, digits, [^\n]+\n$/);
  });
});

Deno.test("new without a name asks for name and template, if a user sits at a terminal", async () => {
  await withFolder(async (folder) => {
    const asked: string[] = [];
    const answers = [`${folder}/asked`, "events"];
    const ask = (question: string, proposal: string) => {
      asked.push(`${question} ${proposal}`);
      return answers.shift()!;
    };
    const { status, out } = await enoki(["new"], { ask });
    assert.equal(status, 0);
    assert.match(out, /mail\.ts/);
    assert.deepEqual(asked, [
      "Name of the project, which is its folder, too: my-service",
      "Template, one of rpc, events, http, full: rpc",
    ]);
  });
});

Deno.test("new without a name is a usage error, if nobody sits there", async () => {
  const { status, err }: Ended = await enoki(["new"]);
  assert.equal(status, 2);
  assert.equal(err, "Cannot make a project: it has no name. Give it one, as in new my-service\n");
});
