import { deepStrictEqual } from "node:assert/strict";
import { readdirSync } from "node:fs";
import { TestFolder } from "../../fixtures/module_origin.ts";

const GRAPH = import.meta.resolve("../../../runtime/module/graph.ts");

for (
  const [lock, locks] of [
    ["--no-lock", []],
    ["--lock=own.lock", ["own.lock"]],
    ["--lock own.lock", ["own.lock"]],
  ] as const
) {
  Deno.test(`inspectModule() uses the lock file that a program was started with, as by ${lock}`, {
    ignore: Deno.build.os !== "linux",
  }, async () => {
    await using folder = new TestFolder();
    await Deno.writeTextFile(folder.file("deno.json"), "{}");
    await Deno.writeTextFile(folder.file("module.ts"), `import "npm:zod@4.6.7";`);
    await Deno.writeTextFile(
      folder.file("main.ts"),
      `import { inspectModule } from "${GRAPH}";
      await inspectModule(import.meta.resolve("./module.ts"));`,
    );
    await new Deno.Command(Deno.execPath(), {
      args: ["run", "--quiet", "--no-check", "-A", ...lock.split(" "), "main.ts"],
      cwd: folder.path,
      stderr: "inherit",
    }).output();
    deepStrictEqual(readdirSync(folder.path).filter((name) => name.endsWith(".lock")), locks);
  });
}
