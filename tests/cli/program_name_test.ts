import assert from "node:assert/strict";
import { programName } from "../../extensions/cli/view/program_name.ts";

const MAIN = "file:///opt/enoki/cli.ts";

async function withScript(text: string, test: (folder: string) => void): Promise<void> {
  const folder = await Deno.makeTempDir({ prefix: "enoki-name-" });
  try {
    await Deno.writeTextFile(`${folder}/enoki`, text);
    test(folder);
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
}

Deno.test("the program is enoki where deno install has put it on the PATH", async () => {
  const script = `#!/bin/sh\nexec deno run --allow-all '${MAIN}' "$@"\n`;
  await withScript(script, (folder) => assert.equal(programName(MAIN, `/nowhere:${folder}`), "enoki"));
});

Deno.test("the program is a command of Deno where another enoki is on the PATH", async () => {
  const script = `#!/bin/sh\nexec deno run --allow-all 'file:///other/cli.ts' "$@"\n`;
  await withScript(script, (folder) => assert.match(programName(MAIN, folder), /^deno run -A .*cli\.ts$/));
});

Deno.test("the program is a command of Deno where nothing is installed", () => {
  assert.match(programName(MAIN, "/nowhere"), /^deno run -A .*cli\.ts$/);
});

Deno.test("the program is enoki where it comes from the network", () => {
  assert.equal(programName("https://enoki.example/cli.ts"), "enoki");
});
