import assert from "node:assert/strict";
import { fileURLToPath } from "node:url";
import denoJson from "../deno.json" with { type: "json" };

Deno.test("the package could be published: its types are explicit, and all that it imports is in it", async () => {
  await succeeds(
    ["publish", "--dry-run", "--allow-dirty", "--no-check", "--quiet"],
    fileURLToPath(new URL("../", import.meta.url)),
  );
});

Deno.test("the package's types hold under the options that Deno itself has", async () => {
  const project = await Deno.makeTempDir({ prefix: "enoki-types-" });
  try {
    const doors = Object.values(denoJson.exports).map((path) => import.meta.resolve(`../${path}`));
    await Deno.writeTextFile(`${project}/deno.json`, "{}");
    await Deno.writeTextFile(`${project}/main.ts`, doors.map((url) => `import "${url}";\n`).join(""));
    await succeeds(["check", "--quiet", "main.ts"], project);
  } finally {
    await Deno.remove(project, { recursive: true });
  }
});

/** Runs a command of Deno, which must have nothing to complain of. */
async function succeeds(args: readonly string[], cwd: string): Promise<void> {
  const { success, stderr } = await new Deno.Command(Deno.execPath(), {
    args: [...args],
    cwd,
    stdin: "null",
    stdout: "null",
    stderr: "piped",
    env: { NO_COLOR: "1" },
  }).output();
  assert.ok(success, new TextDecoder().decode(stderr));
}
