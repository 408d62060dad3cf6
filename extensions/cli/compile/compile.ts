/**
 * Makes one binary with `deno compile`.
 *
 * `deno compile` compiles an entry file that is written for this one binary. The entry starts the command
 * line and tells it what the binary contains. A binary contains the modules that its entry imports and the
 * modules that are named beside the entry. So this file names the entry modules of threads, the services, and
 * the doors that a service's import may lead to. The files in a binary keep only their places relative to
 * each other, so the entry addresses files relative to itself.
 */
import { basename, join } from "node:path";
import { pathToFileURL } from "node:url";
import {
  BUNDLER_CODE,
  bundlerCodePath,
  packBundlerCode,
} from "../../../runtime/module/bundle/bundler_code.ts";
import { ConfigurationError } from "../../../runtime/message/errors.ts";
import { NoServiceError } from "../../../runtime/module/choose_services.ts";
import { describeModule } from "../../../runtime/serving/loading/loader.ts";
import type { ModuleFetcherOptions } from "../../../runtime/module/fetch/fetcher.ts";
import { type ModuleSpecifier, moduleUrl, parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { ownModuleUnder } from "../../../runtime/program/own_modules.ts";
import { OPTIONAL_DOORS, OWN_PACKAGE } from "../../../runtime/program/own_package.ts";
import { nearestConfig } from "../../../runtime/program/program_config.ts";
import { THREAD_ENTRIES } from "../../../runtime/program/thread_entries.ts";
import { loadExtensionModule } from "../../loaded_extensions.ts";
import { loadHostHalf } from "../../optional_halves.ts";
import { addressFrom, binaryImports } from "./binary_imports.ts";
import type { Application, Build, CommandIo } from "../command_io.ts";
import { configFile } from "../flags/config_flags.ts";
import { checkBinaryConfig, ingredients, readConfigText } from "./compiled_config.ts";
import { Compiler, verifyBinary } from "./compiler.ts";
import { EXIT } from "../view/failure_report.ts";
import { requireModuleFiles } from "../flags/module_files.ts";
import type { ModuleFlags } from "../flags/module_flags.ts";
import { ownSource, packOptionalTexts, revisionOf } from "./own_source.ts";
import { packModule } from "./packed_modules.ts";

/** Flags of `compile`. */
export type CompileFlags = ModuleFlags & {
  readonly output?: string;
  readonly config?: string | false;
  readonly target?: string;
  /** Whether the binary exports to OpenTelemetry. @default {false} */
  readonly otel?: boolean;
  /** Paths or URLs of modules that export extensions. */
  readonly extension?: readonly string[];
  /** Optional parts of Enoki that the binary has beside those that its services use, such as `sql`. */
  readonly with?: readonly string[];
};

/** Writes a binary that serves some modules. Without modules, the binary has all commands. */
export async function compileCommand(
  modules: readonly string[],
  { output, config: given, target, otel = false, with: named = [], ...flags }: CompileFlags,
  io: CommandIo,
): Promise<number> {
  const done = await io.startOver();
  if (done !== undefined) return done;
  const specifiers = modules.map((module) => parseModuleSpecifier(module));
  const [first] = specifiers;
  if (first === undefined && typeof given === "string") {
    throw new ConfigurationError(`Cannot put "${given}" into a binary without services: name a module`);
  }
  const { file, found } = await configFile(
    first === undefined ? { config: false } : given === undefined ? {} : { config: given },
    io,
  );
  await requireModuleFiles(modules);
  const config = file === undefined ? undefined : await readConfigText(file);
  const { modules: fetching, extensions, parts: asked } = await ingredients(config, flags, io.env);
  const parts = [...new Set([...named, ...asked])].map(partDoor);
  const loading = { extensions, ...(flags.importMap !== undefined && { importMap: flags.importMap }) };
  if (config === undefined) await requireExtensions(extensions, fetching, flags.importMap);
  else await checkBinaryConfig(config, loading);
  const kinds = new Set<string>();
  for (const specifier of specifiers) {
    for (const kind of await requireServices(specifier, fetching, flags.importMap)) kinds.add(kind);
  }
  const compiler = await Compiler.find();
  const path = output ?? defaultOutput(first, target);
  io.writeMessage(`Compiling ${path}${found ? `, with ${file} inside` : ""}\n`);

  const folder = await Deno.realPath(await Deno.makeTempDir({ prefix: "enoki-compile-" }));
  try {
    const source = await ownSource(join(folder, "enoki"));
    const entry = join(folder, "entry.ts");
    const project = (first && nearestConfig(first.url)) ?? nearestConfig(`${source}cli.ts`);
    const importMap = join(folder, "import_map.json");
    await Deno.writeTextFile(
      importMap,
      await binaryImports(first && project, pathToFileURL(importMap), source),
    );
    const packing = {
      folder,
      view: { deno: compiler.path, config: project, importMap },
      modules: fetching,
      source,
      ...(flags.importMap !== undefined && { importMap: flags.importMap }),
    };
    const packed = await Promise.all(specifiers.map((specifier) => packModule(specifier, packing)));
    const added = await Promise.all(
      extensions.map((module) => packModule({ url: moduleUrl(module), service: undefined }, packing)),
    );
    const inside = packed.map(({ specifier }) => specifier);
    const application = first &&
      await describeApplication(basename(path, ".exe"), first.url, inside, [...kinds], config?.text);
    const revision = io.revision ?? await revisionOf(source);
    const build = {
      ...(revision !== undefined && { revision }),
      extensions: added.map(({ specifier }) => specifier.url),
      ...(application && { application }),
    };
    await Deno.writeTextFile(entry, entryText(pathToFileURL(entry), source, build));
    const code = Deno.build.standalone ? await compiler.locate(BUNDLER_CODE) : bundlerCodePath();
    await compiler.compile(entry, {
      output: path,
      include: [
        ...threadEntries(source),
        ...(first ? packed.flatMap(({ include }) => include) : ownDoors(source, OWN_DOORS)),
        ...ownDoors(source, parts),
        ...added.flatMap(({ include }) => include),
        // Only a binary that loads services when it runs bundles modules. Only such a binary compiles others.
        ...(code !== undefined && first === undefined ? [await packBundlerCode(code, folder)] : []),
        ...(first === undefined
          ? [
            source + APPLICATION,
            await packOptionalTexts(ownDoors(source, OPTIONAL_DOORS), source, packing),
          ]
          : []),
      ],
      exclude: [
        ...(code === undefined ? [] : [code]),
        ...(parts.includes(DOCS) ? await docsLeftOut() : []),
        ...await compiler.unneededFiles(),
      ],
      config: project,
      importMap,
      ...(target !== undefined && { target }),
      otel,
    });
  } finally {
    await Deno.remove(folder, { recursive: true });
  }
  if (target === undefined) await verifyBinary(path, `enoki ${OWN_PACKAGE.version}`);
  io.writeMessage(`Wrote ${path}\n`);
  return EXIT.fine;
}

const DOCS = "./docs";

/** The module that starts an application. Only the binaries that it makes import it. */
const APPLICATION = "extensions/cli/application.ts";

/** Lists the files of the page's packages that a binary does not need. A binary that compiles others knows none. */
async function docsLeftOut(): Promise<readonly string[]> {
  if (Deno.build.standalone) return [];
  const { unneededFiles } = await loadHostHalf<{ unneededFiles(): Promise<readonly string[]> }>("docs");
  return await unneededFiles();
}

function defaultOutput(first: ModuleSpecifier | undefined, target = Deno.build.target): string {
  const name = first === undefined ? "enoki" : basename(new URL(first.url).pathname).replace(/\.\w+$/, "");
  return target.includes("windows") ? `${name}.exe` : name;
}

/**
 * Refuses a module that loads without permissions, but does not export the wanted services.
 *
 * A module that does not load here without permissions may load where the binary runs.
 *
 * @returns The kinds of entrypoints of the services, if the module loads.
 */
async function requireServices(
  specifier: ModuleSpecifier,
  modules: ModuleFetcherOptions,
  importMap: string | undefined,
): Promise<readonly string[]> {
  try {
    const services = await describeModule(specifier, {
      permissions: "none",
      modules,
      ...(importMap !== undefined && { importMap }),
      onLog: () => {},
    });
    return services.flatMap(({ manifest }) => manifest.entrypoints.map(({ kind }) => kind));
  } catch (error) {
    if (error instanceof NoServiceError) throw error;
    return [];
  }
}

/** Refuses an extension that does not load here, because the binary could not use it either. */
async function requireExtensions(
  extensions: readonly string[],
  modules: ModuleFetcherOptions,
  importMap: string | undefined,
): Promise<void> {
  const options = { modules, ...(importMap !== undefined && { importMap }) };
  for (const extension of extensions) await loadExtensionModule(extension, options);
}

/** @param origin URL of the first module, as the user has given it. */
async function describeApplication(
  name: string,
  origin: string,
  specifiers: readonly ModuleSpecifier[],
  kinds: readonly string[],
  config: string | undefined,
): Promise<Application> {
  const revision = await revisionOf(origin);
  return {
    name,
    ...(revision !== undefined && { revision }),
    modules: specifiers.map(({ url, service }) => service === undefined ? url : `${url}:${service}`),
    kinds,
    ...(config !== undefined && { config }),
  };
}

function entryText(entry: URL, source: string, { application, extensions = [], ...build }: Build): string {
  const resolved = (module: string) => `import.meta.resolve(${JSON.stringify(addressFrom(entry, module))})`;
  const modules = application?.modules.map(resolved);
  const parts = [
    JSON.stringify(build).slice(1, -1),
    `"extensions": [${extensions.map(resolved)}]`,
    application && `"application": { ...${JSON.stringify(application)}, modules: [${modules}] }`,
  ];
  const from = (path: string) => JSON.stringify(addressFrom(entry, source + path));
  const given = `{ ${parts.filter(Boolean).join(", ")} }`;
  return application === undefined ? `import { start } from ${from("cli.ts")};\nawait start(${given});\n` : [
    // A start needs these modules at once. Deno keeps no compiled code of modules that are imported later.
    `import ${from("extensions/serve.ts")};`,
    `import ${from("extensions/setting_readers.ts")};`,
    `import { startApplication } from ${from(APPLICATION)};`,
    `await startApplication(${given});\n`,
  ].join("\n");
}

function threadEntries(source: string): readonly string[] {
  return Object.values(THREAD_ENTRIES).map((url) => ownModuleUnder(url, source));
}

/** The doors that each generic binary has. */
const OWN_DOORS = Object.keys(OWN_PACKAGE.exports).filter((door) => !OPTIONAL_DOORS.includes(door));

function ownDoors(source: string, doors: readonly string[]): readonly string[] {
  return doors.map((door) => new URL(OWN_PACKAGE.exports[door]!, source).href);
}

/** @throws {ConfigurationError} If there is no such part. */
function partDoor(part: string): string {
  const door = `./${part}`;
  if (OPTIONAL_DOORS.includes(door)) return door;
  const known = OPTIONAL_DOORS.map((door) => door.slice("./".length));
  throw new ConfigurationError(
    `Cannot compile with "${part}": there is no such optional part, only ${known.join(", ")}`,
  );
}
