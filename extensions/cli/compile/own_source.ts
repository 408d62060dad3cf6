/**
 * Enoki's own source, for a compiler that is another program.
 *
 * A binary has its own source inside, and can write it out. It holds no modules of the optional parts that it does not
 * have, so it has their text in a file beside its main module.
 */
import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { inspectModule, type InspectModuleOptions } from "../../../runtime/module/graph.ts";
import { OWN_FOLDER } from "../../../runtime/program/own_modules.ts";
import { readPacked, writePacked } from "../../../runtime/program/packed_file.ts";

/** Name of the packed file with the text of modules, by their paths. */
const TEXTS_NAME = "optional.texts.gz";

/**
 * Gives the URL of a folder with Enoki's own source that other programs can read.
 *
 * @param folder Gets a copy of the source if this program is a binary: only a binary can read the files
 * inside it.
 */
export async function ownSource(folder: string): Promise<string> {
  const source = OWN_FOLDER;
  if (!Deno.build.standalone) return source;
  const root = fileURLToPath(source);
  const write = async (path: string, text: string) => {
    const copy = join(folder, path);
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.writeTextFile(copy, text);
  };
  for (const [path, text] of Object.entries(await optionalTexts())) await write(path, text);
  for await (const path of files(root)) await write(relative(root, path), await Deno.readTextFile(path));
  return `${pathToFileURL(folder).href}/`;
}

/**
 * Writes the text of some modules of Enoki, and of all that they import, into a file for a binary.
 *
 * @param source URL of the folder with Enoki's own source.
 * @returns Path of the file.
 */
export async function packOptionalTexts(
  modules: readonly string[],
  source: string,
  { folder, view }: { readonly folder: string; readonly view: InspectModuleOptions },
): Promise<string> {
  const root = fileURLToPath(source);
  const graphs = await Promise.all(modules.map((module) => inspectModule(module, view)));
  const paths = new Set(
    graphs.flatMap(({ files, needs }) => [...files, ...needs.read]).filter((path) =>
      path.startsWith(root) && path.endsWith(".ts")
    ),
  );
  const texts = [...paths].map(async (path) => [relative(root, path), await Deno.readTextFile(path)]);
  const packed = join(folder, TEXTS_NAME);
  await writePacked(packed, JSON.stringify(Object.fromEntries(await Promise.all(texts))));
  return packed;
}

async function optionalTexts(): Promise<Readonly<Record<string, string>>> {
  const packed = await readPacked(TEXTS_NAME);
  return packed === undefined ? {} : JSON.parse(new TextDecoder().decode(packed));
}

async function* files(folder: string): AsyncGenerator<string> {
  for await (const { name, isDirectory } of Deno.readDir(folder)) {
    const path = join(folder, name);
    if (isDirectory) yield* files(path);
    else yield path;
  }
}

/**
 * Gives the revision of a file or folder in git, such as `v1.2.0-3-g1a2b3c4-dirty`.
 *
 * Returns undefined if there is no git, or no repository.
 */
export async function revisionOf(url: string): Promise<string | undefined> {
  if (!url.startsWith("file:")) return undefined;
  try {
    const { success, stdout } = await new Deno.Command("git", {
      args: ["describe", "--always", "--tags", "--dirty"],
      cwd: dirname(fileURLToPath(new URL("x", url))),
      stdin: "null",
      stderr: "null",
    }).output();
    return success ? new TextDecoder().decode(stdout).trim() : undefined;
  } catch (error) {
    if (error instanceof Deno.errors.NotFound) return undefined;
    throw error;
  }
}
