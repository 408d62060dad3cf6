import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";

/**
 * Checks that the modules that are files exist, so that the user learns of a mistyped path before anything
 * starts.
 *
 * @throws {ServiceLoadError} If a module is missing, or is a folder.
 */
export async function requireModuleFiles(modules: readonly string[]): Promise<void> {
  for (const module of modules) {
    const { url } = parseModuleSpecifier(module);
    if (!url.startsWith("file:")) continue;
    const found = await Deno.stat(fileURLToPath(url)).catch(() => undefined);
    if (found?.isFile) continue;
    const state = found === undefined ? "no such file" : "it is a folder. Name the module in it";
    throw new ServiceLoadError(`Cannot load module ${module}: ${state}${await suggestion(module, url)}`);
  }
}

/** Suggests a file name: Python names a module without the file extension, Enoki with it. */
async function suggestion(module: string, url: string): Promise<string> {
  const found = await Deno.stat(`${fileURLToPath(url)}.ts`).catch(() => undefined);
  return found?.isFile ? `. Did you mean ${module}.ts?` : "";
}
