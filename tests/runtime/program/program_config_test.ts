import assert from "node:assert/strict";
import { TestFolder } from "../../fixtures/module_origin.ts";

const CONFIG = import.meta.resolve("../../../runtime/program/program_config.ts");

/** What a program finds that is started with these words. */
async function found(folder: TestFolder, ...words: readonly string[]): Promise<string> {
  await Deno.writeTextFile(
    folder.file("main.ts"),
    `import { programConfig } from "${CONFIG}"; console.log(programConfig());`,
  );
  for (const name of ["deno.json", "other.json"]) await Deno.writeTextFile(folder.file(name), "{}");
  const { stdout } = await new Deno.Command(Deno.execPath(), {
    args: ["run", "--quiet", "--no-check", "-A", ...words],
    cwd: folder.path,
    env: { NO_COLOR: "1" },
  }).output();
  return new TextDecoder().decode(stdout).trim();
}

Deno.test("programConfig() finds the nearest configuration above the main module", async () => {
  await using folder = new TestFolder();
  assert.equal(await found(folder, "main.ts"), folder.file("deno.json"));
});

Deno.test("programConfig() takes the configuration that Deno was given, and not the program's own", {
  ignore: Deno.build.os !== "linux",
}, async () => {
  await using folder = new TestFolder();
  assert.equal(
    await found(folder, "--config", "other.json", "main.ts", "--config", "app.yaml"),
    folder.file("other.json"),
  );
  assert.equal(await found(folder, "main.ts", "--config", "app.yaml"), folder.file("deno.json"));
  assert.equal(await found(folder, "--no-config", "main.ts"), "undefined");
});
