/** The table of packages on the page about operations, held to the sources. */
import { deepStrictEqual, equal } from "node:assert/strict";
import { createHash } from "node:crypto";
import { readdirSync, statSync } from "node:fs";
import denoJson from "../../deno.json" with { type: "json" };
import { Child } from "../fixtures/child.ts";
import { pageText } from "../fixtures/guide/pages.ts";
import { ROOT } from "../fixtures/guide/folder.ts";
import { SOURCES } from "../fixtures/source_tree.ts";

/** The rows of the table: name, version and size. */
const ROWS = [
  ...pageText("runtime/serving/operations.md").matchAll(
    /^\| `(@?[^@`]+)@([\d.]+)` +\|[^|]+\| (\d+) kB +\|[^|]+\|[^|]+\|$/gm,
  ),
].map(([, name, version, size]) => ({ name: name!, version: version!, size: Number(size) }));

/** The packages that `deno.json` and the sources name, with their versions. */
function usedPackages(): readonly string[] {
  const texts = [...Object.values(denoJson.imports), ...[...SOURCES.values()].map(({ text }) => text)];
  const named = texts.flatMap((
    text,
  ) => [...text.matchAll(/npm(?::|", ")(@?[a-z][^@"'`\s]*@\d+\.\d+\.\d+)/g)]);
  return [...new Set(named.map(([, name]) => name!))].sort();
}

Deno.test("the table has each package that deno.json and the sources name, in its version", () => {
  deepStrictEqual(ROWS.map(({ name, version }) => `${name}@${version}`).sort(), usedPackages());
});

Deno.test("the sizes in the table are those on this disk, of the packages that are there", async () => {
  const { stdout } = await new Deno.Command(Deno.execPath(), { args: ["info", "--json"] }).output();
  const { npmCache } = JSON.parse(new TextDecoder().decode(stdout));
  const wrong = ROWS.flatMap(({ name, version, size }) => {
    const found = sizeOf(`${npmCache}/registry.npmjs.org/${name}/${version}`) / 1024;
    return found > 0 && Math.abs(found - size) > size / 5 ? [`${name}: ${Math.round(found)} kB`] : [];
  });
  deepStrictEqual(wrong, []);
});

function sizeOf(folder: string): number {
  try {
    return readdirSync(folder, { recursive: true, encoding: "utf8" })
      .reduce((sum, path) => sum + statSync(`${folder}/${path}`).size, 0);
  } catch {
    return 0;
  }
}

Deno.test("where the registry of jsr: is in reach, a service imports from it", async () => {
  // Deno keeps what it has loaded: a name that nobody else has is loaded anew.
  const name = `two-${crypto.randomUUID().slice(0, 8)}`;
  const code = "export const two = (): number => 2;\n";
  const checksum = `sha256-${createHash("sha256").update(code).digest("hex")}`;
  const files: Record<string, string> = {
    [`/@own/${name}/meta.json`]: JSON.stringify({ scope: "own", name, versions: { "1.0.0": {} } }),
    [`/@own/${name}/1.0.0_meta.json`]: JSON.stringify({
      exports: { ".": "./mod.ts" },
      manifest: { "/mod.ts": { size: code.length, checksum } },
    }),
    [`/@own/${name}/1.0.0/mod.ts`]: code,
  };
  const folder = await Deno.makeTempDir({ prefix: "enoki-jsr-" });
  await using registry = Deno.serve({ port: 0, hostname: "127.0.0.1", onListen: () => {} }, (request) => {
    const { pathname } = new URL(request.url);
    const type = pathname.endsWith(".ts") ? "application/typescript" : "application/json";
    const text = files[pathname];
    return text === undefined
      ? new Response("", { status: 404 })
      : new Response(text, { headers: { "content-type": type } });
  });
  try {
    // A project of its own, whose lock file gets the package.
    await Deno.writeTextFile(`${folder}/deno.json`, "{}");
    await Deno.writeTextFile(
      `${folder}/twos.ts`,
      `import { rpc, service } from "@enoki/enoki";
import { two } from "jsr:@own/${name}@1";
export default service("twos" + two(), { entrypoints: { give: rpc() }, handlers: { give: () => two() } });
`,
    );
    const env = { JSR_URL: `http://127.0.0.1:${registry.addr.port}/`, NO_COLOR: "1" };
    const args = ["run", "-A", "--no-lock", new URL("cli.ts", ROOT).href, "describe", "./twos.ts"];
    await using child = new Child(Deno.execPath(), args, { cwd: folder, env });
    const { code: status, out, err } = await child.ended();
    equal(status, 0, err);
    equal(out, "twos2\n  rpc  give\n");
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
});
