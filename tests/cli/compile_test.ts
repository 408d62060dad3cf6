import assert from "node:assert/strict";
import { versionText } from "../../runtime/cli/version.ts";
import { enoki, GREETING } from "./command.ts";

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
];

for (const [state, argv, err] of MISTAKES) {
  Deno.test(`enoki compile ends with 2 where ${state}`, async () => {
    assert.deepEqual(await enoki(["compile", ...argv]), { status: 2, out: "", err });
  });
}

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

Deno.test("The version names what a binary was made of", () => {
  const versions = `deno ${Deno.version.deno}, v8 ${Deno.version.v8}, ${Deno.build.target}`;
  assert.equal(versionText("1.2.3"), `enoki 1.2.3\n${versions}`);
  assert.equal(
    versionText("1.2.3", { revision: "a1b2c3d", application: { name: "shop", revision: "v4", modules: [] } }),
    `shop, revision v4\nenoki 1.2.3, revision a1b2c3d\n${versions}`,
  );
});
