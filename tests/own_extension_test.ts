/** The README's extension, against the doors alone, in a folder outside of this one. */
import { equal } from "node:assert/strict";
import { readFileSync } from "node:fs";
import denoJson from "../deno.json" with { type: "json" };
import { Child } from "./fixtures/child.ts";
import { freePort } from "./fixtures/free_port.ts";

const README = readFileSync(new URL("../README.md", import.meta.url), "utf8");

/** The files that a chapter of the README consists of, by name. */
function filesOf(chapter: string): ReadonlyMap<string, string> {
  const [, text = ""] = README.split(`\n## ${chapter}\n`);
  const [body = ""] = text.split("\n## ");
  return new Map(
    [...body.matchAll(/^```ts\n\/\/ (\S+)\n(.*?)^```$/gms)].map(([, name, code]) => [name!, code!]),
  );
}

Deno.test("an extension is written against the doors alone, outside of the tree", async () => {
  const folder = await Deno.makeTempDir({ prefix: "enoki-extension-" });
  try {
    const port = freePort();
    const imports = Object.fromEntries(
      Object.entries(denoJson.exports).map(([door, path]) => [
        `@enoki/enoki${door.slice(1)}`,
        import.meta.resolve(`../${path}`),
      ]),
    );
    await Deno.writeTextFile(
      `${folder}/deno.json`,
      JSON.stringify({ imports, unstable: ["worker-options"] }),
    );
    const files = filesOf("An extension of your own");
    equal(files.size, 4);
    for (const [name, code] of files) {
      await Deno.writeTextFile(`${folder}/${name}`, code.replace("7007", String(port)));
    }
    const deno = (...args: string[]) =>
      new Child(Deno.execPath(), args, { cwd: folder, env: { NO_COLOR: "1" } });
    const { code, err } = await deno("check", "--quiet", "main.ts", "service.ts").ended();
    equal(code, 0, err);

    await using serving = deno("run", "-A", "--quiet", "main.ts");
    await serving.says("shouter listens");
    using connection = await Deno.connect({ hostname: "127.0.0.1", port });
    await connection.write(new TextEncoder().encode("hello\n"));
    const answer = new Uint8Array(100);
    const length = await connection.read(answer);
    equal(new TextDecoder().decode(answer.subarray(0, length ?? 0)), "HELLO\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
