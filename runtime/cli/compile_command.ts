/**
 * Makes one binary with `deno compile`.
 *
 * What is compiled is an entry that is written for the occasion: it starts the command line and tells it what the
 * binary has inside. A binary holds what its entry imports and what is named beside it, so the entry modules of
 * threads, the services, and the doors that a service's import may lead to are named. Its files keep their places
 * only towards each other, so the entry addresses files from where it is itself.
 */
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import denoJson from "../../deno.json" with { type: "json" };
import { bundlerCodePath, packBundlerCode } from "../bundler_code.ts";
import { parseConfigText } from "../config_file.ts";
import { ConfigurationError } from "../errors.ts";
import { nearestConfig } from "../module_graph.ts";
import { type ModuleSpecifier, parseModuleSpecifier } from "../module_specifier.ts";
import { THREAD_ENTRIES } from "../thread_entries.ts";
import { addressFrom, binaryImports } from "./binary_imports.ts";
import type { Application, Build } from "./build.ts";
import type { CommandIo } from "./command_io.ts";
import { Compiler } from "./compiler.ts";
import { EXIT } from "./failure_report.ts";
import { requireModuleFiles } from "./module_files.ts";
import { ownSource } from "./own_source.ts";
import { revisionOf } from "./revision.ts";

/** Flags of `compile`. */
export interface CompileFlags {
  readonly output?: string;
  readonly config?: string;
  readonly target?: string;
}

/** Writes a binary that serves some modules; without any, one that has all commands. */
export async function compileCommand(
  modules: readonly string[],
  { output, config: configFile, target }: CompileFlags,
  io: CommandIo,
): Promise<number> {
  const specifiers = modules.map((module) => parseModuleSpecifier(module));
  const [first] = specifiers;
  if (first === undefined && configFile !== undefined) {
    throw new ConfigurationError(`Cannot put "${configFile}" into a binary without services: name a module`);
  }
  await requireModuleFiles(modules);
  const config = configFile === undefined ? undefined : await readConfig(configFile);
  const compiler = await Compiler.find();
  const path = output ?? defaultOutput(first, target);
  io.writeMessage(`Compiling ${path}\n`);

  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "enoki-compile-" }));
  try {
    const source = await ownSource(join(folder, "enoki"));
    const entry = join(folder, "entry.ts");
    const inside = await Promise.all(specifiers.map((specifier) => ofFile(specifier, folder)));
    const application = first && await describeApplication(basename(path, ".exe"), inside, config);
    const revision = await revisionOf(source);
    const build = { ...(revision !== undefined && { revision }), ...(application && { application }) };
    await Deno.writeTextFile(entry, entryText(pathToFileURL(entry), source, build));
    const project = (first && nearestConfig(first.url)) ?? nearestConfig(`${source}cli.ts`);
    const importMap = join(folder, "import_map.json");
    await Deno.writeTextFile(
      importMap,
      await binaryImports(first && project, pathToFileURL(importMap), source),
    );
    const code = Deno.build.standalone ? undefined : bundlerCodePath();
    await compiler.compile(entry, {
      output: path,
      include: [
        ...threadEntries(source),
        ...(first ? inside.map(({ url }) => url) : doors(source)),
        // Only what loads services when it runs bundles any.
        ...(code !== undefined && first === undefined ? [await packBundlerCode(code, folder)] : []),
      ],
      exclude: code === undefined ? [] : [code],
      config: project,
      importMap,
      ...(target !== undefined && { target }),
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  io.writeMessage(`Wrote ${path}\n`);
  return EXIT.fine;
}

/** The text of a configuration file, once it is known to be one; its variables are filled in where it runs. */
async function readConfig(path: string): Promise<string> {
  const action = `Cannot read config file "${path}"`;
  let text: string;
  try {
    text = await Deno.readTextFile(path);
  } catch (error) {
    const reason = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ConfigurationError(`${action}: ${reason}`, { cause: error });
  }
  await parseConfigText(text, { action, env: { get: () => "" } });
  return text;
}

function defaultOutput(first: ModuleSpecifier | undefined, target = Deno.build.target): string {
  const name = first === undefined ? "enoki" : basename(new URL(first.url).pathname).replace(/\.\w+$/, "");
  return target.includes("windows") ? `${name}.exe` : name;
}

/** A module that is a file: what else is loaded by its URL when the binary runs, though it is inside. */
async function ofFile({ url, service }: ModuleSpecifier, folder: string): Promise<ModuleSpecifier> {
  if (url.startsWith("file:")) return { url, service };
  const path = await Deno.makeTempFile({ dir: folder, prefix: "module-", suffix: ".ts" });
  const from = JSON.stringify(url);
  await Deno.writeTextFile(
    path,
    `export * from ${from};\nimport * as module from ${from};\nexport default module.default;\n`,
  );
  return { url: pathToFileURL(path).href, service };
}

async function describeApplication(
  name: string,
  specifiers: readonly ModuleSpecifier[],
  config: string | undefined,
): Promise<Application> {
  const revision = await revisionOf(specifiers[0]!.url);
  return {
    name,
    ...(revision !== undefined && { revision }),
    modules: specifiers.map(({ url, service }) => service === undefined ? url : `${url}:${service}`),
    ...(config !== undefined && { config }),
  };
}

function entryText(entry: URL, source: string, { application, ...build }: Build): string {
  const modules = application?.modules.map((module) => {
    const specifier = JSON.stringify(addressFrom(entry, module));
    return `import.meta.resolve(${specifier})`;
  });
  const parts = [
    JSON.stringify(build).slice(1, -1),
    application && `"application": { ...${JSON.stringify(application)}, modules: [${modules}] }`,
  ];
  return [
    `import { start } from ${JSON.stringify(addressFrom(entry, `${source}cli.ts`))};`,
    `await start({ ${parts.filter(Boolean).join(", ")} });\n`,
  ].join("\n");
}

function threadEntries(source: string): readonly string[] {
  const here = import.meta.resolve("../../");
  return Object.values(THREAD_ENTRIES).map((url) => source + url.slice(here.length));
}

function doors(source: string): readonly string[] {
  return Object.values(denoJson.exports).map((path) => new URL(path, source).href);
}
