import { rejects, strictEqual, throws } from "node:assert/strict";
import { PackageNames } from "../../../../runtime/module/bundle/package_names.ts";

const URL_OF_FILE = "file:///project/package.json";

/** Reads a `package.json` beside which some versions are installed. */
function read(content: unknown, installed: Readonly<Record<string, string>> = {}): Promise<PackageNames> {
  const files = new Map([[URL_OF_FILE, JSON.stringify(content)]]);
  for (const [name, version] of Object.entries(installed)) {
    files.set(`file:///project/node_modules/${name}/package.json`, JSON.stringify({ version }));
  }
  return PackageNames.read(URL_OF_FILE, (url) => Promise.resolve(files.get(url)));
}

Deno.test("a name of a package.json stands for the installed version", async () => {
  const names = await read({ dependencies: { zod: ">=4.0.0 <5" } }, { zod: "4.6.7" });
  strictEqual(names.resolve("zod"), "npm:zod@4.6.7");
  strictEqual(names.resolve("zod/mini"), "npm:zod@4.6.7/mini");
});

Deno.test("a name of a package.json stands for the wanted version if none is installed", async () => {
  const names = await read({ dependencies: { "@scope/a": "^1.2.0" }, devDependencies: { b: "2.x" } });
  strictEqual(names.resolve("@scope/a/sub/path.js"), "npm:@scope/a@^1.2.0/sub/path.js");
  strictEqual(names.resolve("b"), "npm:b@2.x");
});

Deno.test("a name of a package.json may stand for a package of another name", async () => {
  const names = await read({ dependencies: { old: "npm:zod@^3" } });
  strictEqual(names.resolve("old"), "npm:zod@^3");
  strictEqual(
    (await read({ dependencies: { old: "npm:zod@^3" } }, { old: "3.25.1" })).resolve("old"),
    "npm:zod@3.25.1",
  );
});

Deno.test("a name that a package.json does not have stands for nothing", async () => {
  const names = await read({ dependencies: { zod: "4" } });
  for (const specifier of ["left-pad", "zodiac", "./zod", "@scope/zod"]) {
    strictEqual(names.resolve(specifier), undefined);
  }
});

Deno.test("a name that stands for no package of npm is refused", async () => {
  const names = await read({ dependencies: { own: "file:../own" } }, { own: "1.0.0" });
  throws(() => names.resolve("own"), {
    name: "ServiceLoadError",
    message:
      'Cannot resolve "own": file:///project/package.json asks for "file:../own", which names no version. ' +
      "Run npm install, if it is a range of versions; packages from elsewhere than npm cannot be used",
  });
});

Deno.test("a package.json that is no object is refused", async () => {
  await rejects(read([1]), { message: "Cannot use file:///project/package.json: it is not a JSON object" });
});
