import { deepStrictEqual } from "node:assert/strict";
import { projectFlags } from "../../extensions/cli/flags/project_flags.ts";

const ROOT = new URL("../../", import.meta.url).pathname;
const MAIN = new URL("../../cli.ts", import.meta.url).href;

/** The flags for a module in a project that has some files, with the project's folder as `<project>`. */
async function flagsIn(
  files: Readonly<Record<string, unknown>>,
  given: readonly string[] = ["run", "-A"],
  mainModule = MAIN,
): Promise<readonly string[]> {
  const project = await Deno.realPath(await Deno.makeTempDir({ prefix: "enoki-project-" }));
  try {
    await Deno.mkdir(`${project}/services`);
    for (const [path, content] of Object.entries(files)) {
      await Deno.writeTextFile(`${project}/${path}`, JSON.stringify(content));
    }
    const flags = projectFlags(`${project}/services/orders.ts:orders`, given, mainModule);
    return flags.map((flag) => flag.replace(project, "<project>"));
  } finally {
    await Deno.remove(project, { recursive: true });
  }
}

const FROM_HERE = { imports: { "@enoki/enoki": `${ROOT}mod.ts`, zod: "npm:zod@4.6.7" } };

Deno.test("a program runs under the deno.json of a project that takes the runtime from here", async () => {
  deepStrictEqual(await flagsIn({ "deno.json": FROM_HERE }), [
    "--config",
    "<project>/deno.json",
    "--node-modules-dir=none",
  ]);
});

Deno.test("a project that takes the runtime from elsewhere has the lock file alone", async () => {
  const elsewhere = { imports: { "@enoki/enoki": "https://enoki.example/mod.ts" } };
  const partly = { imports: { ...FROM_HERE.imports, "@enoki/enoki/run": "jsr:@enoki/enoki/run" } };
  for (const config of [elsewhere, partly, {}]) {
    deepStrictEqual(await flagsIn({ "deno.json": config }), ["--lock=<project>/deno.lock"]);
  }
});

Deno.test("a project with a package.json has a lock file beside it", async () => {
  deepStrictEqual(await flagsIn({ "package.json": {} }), ["--lock=<project>/deno.lock"]);
});

Deno.test("a module without a project, and a project that wants none, have no lock file", async () => {
  deepStrictEqual(await flagsIn({}), ["--no-lock"]);
  deepStrictEqual(await flagsIn({ "deno.json": { lock: false } }), ["--no-lock"]);
});

Deno.test("what the user has said to Deno counts", async () => {
  for (const flag of ["--no-lock", "--lock=a.lock", "--lock", "--config=a.json", "-c", "--no-config"]) {
    deepStrictEqual(await flagsIn({ "deno.json": FROM_HERE }, ["run", "-A", flag]), []);
  }
});

Deno.test("Deno finds the project by itself if the program comes from the network", async () => {
  deepStrictEqual(await flagsIn({ "deno.json": FROM_HERE }, undefined, "https://enoki.example/cli.ts"), []);
});

Deno.test("a text that names no module changes nothing", () => {
  deepStrictEqual(projectFlags("ftp://host/orders.ts", ["run"], MAIN), []);
});
