import { deepEqual, equal } from "node:assert/strict";
import { processCommand } from "../../../runtime/spawning/process/process_command.ts";
import { TestFolder } from "../../fixtures/module_origin.ts";

Deno.test("a service may have more files than the system takes in one argument", {
  ignore: Deno.build.os === "windows",
}, async () => {
  await using folder = new TestFolder();
  const files = Array.from({ length: 2_000 }, (_, at) => `/srv/${"ö".repeat(80)}/module_${at}.ts`);
  await Deno.writeTextFile(
    folder.file("main.ts"),
    `const { state } = Deno.permissions.querySync({ name: "read", path: Deno.args[0] });
    console.log(state);`,
  );
  const { path, args, env } = processCommand({ permissions: { read: files } }, folder.file("socket"));
  const states = await Promise.all([files[0]!, files.at(-1)!, "/srv"].map(async (file) => {
    const { success, stdout } = await new Deno.Command(path, {
      args: [...args.slice(0, -1), folder.file("main.ts"), file],
      env: { ...env },
    }).output();
    equal(success, true);
    return new TextDecoder().decode(stdout).trim();
  }));
  deepEqual(states, ["granted", "granted", "prompt"]);
});
