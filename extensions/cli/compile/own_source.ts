import { dirname, join, relative } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";
import { OWN_FOLDER } from "../../../runtime/program/own_modules.ts";

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
  for await (const path of files(root)) {
    const copy = join(folder, relative(root, path));
    await Deno.mkdir(dirname(copy), { recursive: true });
    await Deno.writeTextFile(copy, await Deno.readTextFile(path));
  }
  return `${pathToFileURL(folder).href}/`;
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
