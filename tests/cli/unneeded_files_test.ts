import { deepStrictEqual } from "node:assert/strict";
import { dirname, join, relative } from "node:path";
import { OWN_PACKAGES, unneededFiles } from "../../extensions/cli/compile/unneeded_files.ts";
import { OPTIONAL_DOORS } from "../../runtime/program/own_package.ts";
import { SOURCES } from "../fixtures/source_tree.ts";

/** Makes a folder for packages with some files, and lists those that are not needed. */
async function unneededOf(files: readonly string[]): Promise<readonly string[]> {
  const cache = await Deno.makeTempDir();
  try {
    for (const file of files) {
      await Deno.mkdir(join(cache, dirname(file)), { recursive: true });
      await Deno.writeTextFile(join(cache, file), "");
    }
    return (await unneededFiles(cache)).map((path) => relative(cache, path)).sort();
  } finally {
    await Deno.remove(cache, { recursive: true });
  }
}

Deno.test("unneededFiles() lists types, source maps and texts of Enoki's packages, of each version", async () => {
  const folder = "registry.npmjs.org/acorn/8.19.0";
  deepStrictEqual(
    await unneededOf([
      `${folder}/package.json`,
      `${folder}/dist/acorn.mjs`,
      `${folder}/dist/acorn.mjs.map`,
      `${folder}/dist/acorn.d.mts`,
      `${folder}/README.md`,
      `${folder}/LICENSE.md`,
      `${folder}/types/deep/a.d.ts`,
      "npm.example/acorn/8.18.0/acorn.js",
      "npm.example/acorn/8.18.0/acorn.d.ts",
    ]),
    [
      "npm.example/acorn/8.18.0/acorn.d.ts",
      `${folder}/README.md`,
      `${folder}/dist/acorn.d.mts`,
      `${folder}/dist/acorn.mjs.map`,
      `${folder}/types`,
    ],
  );
});

Deno.test("unneededFiles() leaves the packages of users as they are", async () => {
  deepStrictEqual(await unneededOf(["registry.npmjs.org/typescript/5.9.3/lib/lib.d.ts"]), []);
});

Deno.test("OWN_PACKAGES names each package that a binary without optional parts may hold", () => {
  const optional = OPTIONAL_DOORS.map((door) => `extensions/${door.slice("./".length)}/`);
  const named = [...SOURCES.values()]
    .filter(({ path }) => !optional.some((part) => path.startsWith(part)))
    .flatMap(({ imports }) => imports.flatMap(({ target }) => /^npm:(@?[^@]+)@/.exec(target)?.[1] ?? []));
  deepStrictEqual([...new Set(named)].filter((name) => !OWN_PACKAGES.includes(name)), []);
});
