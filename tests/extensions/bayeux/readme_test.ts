/** The page of the extension, as a reader follows it: in a folder outside of this one. */
import { deepStrictEqual } from "node:assert/strict";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import denoJson from "../../../deno.json" with { type: "json" };
import { Child } from "../../fixtures/child.ts";
import { freePort } from "../../fixtures/free_port.ts";

const ROOT = new URL("../../../", import.meta.url);

Deno.test("the service of the page gets the messages of its server, and the log says what the page shows", async () => {
  const page = readFileSync(new URL("extensions/bayeux/README.md", ROOT), "utf8");
  const files = [...page.matchAll(/^```(?:ts|yaml)\n(?:\/\/|#) (\S+)\n(.*?)^```$/gms)];
  deepStrictEqual(files.map(([, name]) => name), ["quotes.ts", "config.yaml", "server.ts"]);
  const [, session = ""] = /^```console\n(.*?)^```$/ms.exec(page) ?? [];
  const said = session.split("\n").filter((line) => line.startsWith("info")).map((line) => line.slice(8));
  deepStrictEqual(said.length, 2);
  const folder = await Deno.makeTempDir({ prefix: "enoki-bayeux-" });
  try {
    const port = String(freePort());
    for (const [, name, text] of files) {
      await Deno.writeTextFile(`${folder}/${name}`, text!.replaceAll("8124", port));
    }
    const imports = Object.fromEntries(
      Object.entries(denoJson.exports).map(([door, path]) => [
        `@enoki/enoki${door.slice(1)}`,
        new URL(path, ROOT).href,
      ]),
    );
    await Deno.writeTextFile(`${folder}/deno.json`, JSON.stringify({ imports }));
    const options = { cwd: folder };
    await using _server = new Child(Deno.execPath(), ["run", "-A", "--quiet", "server.ts"], options);
    const cli = fileURLToPath(new URL("cli.ts", ROOT));
    const args = ["run", "-A", "--no-check", cli, "run", "--config", "config.yaml", "./quotes.ts"];
    await using service = new Child(Deno.execPath(), args, options);
    for (const line of said) await service.says(line.replace("8124", port));
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
