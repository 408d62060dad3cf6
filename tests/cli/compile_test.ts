import assert from "node:assert/strict";
import { versionText } from "../../extensions/cli/view/version.ts";
import { OPTIONAL_DOORS } from "../../runtime/program/own_package.ts";
import { Child } from "../fixtures/child.ts";
import { ModuleOrigin, TestFolder } from "../fixtures/module_origin.ts";
import { enoki, GREETING, SERVICES } from "./command.ts";

const PARTS = OPTIONAL_DOORS.map((door) => door.slice("./".length)).join(", ");

/** What is wrong, and the one message that says so. */
const MISTAKES: readonly (readonly [string, readonly string[], string])[] = [
  [
    "a module is not there",
    ["./nowhere.ts"],
    "Cannot load module ./nowhere.ts: no such file\n",
  ],
  [
    "the configuration is not there",
    [GREETING, "--config", "./nowhere.yaml"],
    'Cannot read config file "./nowhere.yaml": no such file\n',
  ],
  [
    "there is a configuration and no service",
    ["--config", "./nowhere.yaml"],
    'Cannot put "./nowhere.yaml" into a binary without services: name a module\n',
  ],
  [
    "there is no such part",
    ["--with", "nope"],
    `Cannot compile with "nope": there is no such optional part, only ${PARTS}\n`,
  ],
  [
    "a module has not the service that is named",
    [`${GREETING}:nope`],
    `Cannot serve module file://${GREETING}: it exports no service "nope", only "greeting_service"\n`,
  ],
  [
    "a module has no service",
    [`${SERVICES}no_service.ts`],
    `Cannot serve module file://${SERVICES}no_service.ts: it exports no service. ` +
    'Export one: export default service("name", { ... })\n',
  ],
];

for (const [state, argv, err] of MISTAKES) {
  Deno.test(`enoki compile ends with 2 where ${state}`, async () => {
    assert.deepEqual(await enoki(["compile", ...argv]), { status: 2, out: "", err });
  });
}

Deno.test("enoki compile leaves no binary that does not start, as on a base of something else", async () => {
  await using folder = new TestFolder();
  const binary = folder.file("greeting");
  const cli = new URL("../../cli.ts", import.meta.url).pathname;
  await using compiling = new Child(Deno.execPath(), ["run", "-A", cli, "compile", GREETING, "-o", binary], {
    env: { DENORT_BIN: Deno.build.os === "windows" ? Deno.execPath() : "/bin/sh", NO_COLOR: "1" },
  });
  const { code, err } = await compiling.ended();
  assert.equal(code, 2);
  assert.match(
    err,
    /\nCannot use \S+: it does not start\. DENORT_BIN must name a base binary of the same version of Deno/,
  );
  await assert.rejects(Deno.stat(binary), Deno.errors.NotFound);
});

Deno.test("enoki compile takes a configuration whose variables are not set where it compiles", async () => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-compile-test-" });
  try {
    await Deno.writeTextFile(`${folder}/list.yaml`, "- ${NOT_SET}\n");
    const { status, err } = await enoki(["compile", GREETING, "--config", `${folder}/list.yaml`]);
    assert.equal(status, 2);
    assert.match(err, /list\.yaml": its top level is a list/);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});

Deno.test("enoki compile refuses a configuration that no variable can mend, with its line", async () => {
  await using folder = new TestFolder();
  await Deno.writeTextFile(folder.file("app.yaml"), "grace: ${GRACE:20}\npermissions: { ned: true }\n");
  const { status, err } = await enoki(["compile", GREETING, "--config", folder.file("app.yaml")]);
  assert.equal(status, 2);
  assert.match(
    err,
    /^Cannot use config key "permissions" in line 2 of .*app\.yaml: there is no permission "ned"/,
  );
});

Deno.test("enoki compile takes from the network what run takes, and nothing else", async () => {
  await using origin = new ModuleOrigin({ "/a.ts": await Deno.readTextFile(GREETING) });
  await using folder = new TestFolder();
  const output = folder.file("binary");
  const far = "http://192.0.2.1/a.ts";
  await Deno.writeTextFile(folder.file("near.ts"), `export { default } from "${far}";`);
  await Deno.writeTextFile(folder.file("some.lock"), '{ "version": 1, "remote": {} }');
  await Deno.writeTextFile(folder.file("small.yaml"), "modules: { max_size: 5, cache: false }");
  for (
    const [words, complaint] of [
      [[far], /plain http does not protect a module/],
      [[folder.file("near.ts")], /192\.0\.2\.1\/a\.ts: plain http does not protect a module/],
      [["--lock", folder.file("some.lock"), "--frozen", origin.url("/a.ts")], /--frozen refuses new modules/],
      [["--allow-import=code.example", origin.url("/a.ts")], /is not among those of --allow-import/],
      [["--config", folder.file("small.yaml"), origin.url("/a.ts")], /it has more than 5 bytes/],
    ] as const
  ) {
    const { status, err } = await enoki(["compile", "--output", output, ...words]);
    assert.equal(status, 2);
    assert.match(err, complaint);
  }
  await assert.rejects(Deno.stat(output), Deno.errors.NotFound);
});

Deno.test("The version names what a binary was made of", () => {
  const versions = `deno ${Deno.version.deno}, v8 ${Deno.version.v8}, ${Deno.build.target}`;
  assert.equal(versionText("1.2.3"), `enoki 1.2.3\n${versions}`);
  assert.equal(
    versionText("1.2.3", {
      revision: "a1b2c3d",
      application: { name: "shop", revision: "v4", modules: [], kinds: [] },
    }),
    `shop, revision v4\nenoki 1.2.3, revision a1b2c3d\n${versions}`,
  );
});
