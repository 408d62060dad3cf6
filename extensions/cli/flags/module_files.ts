import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";

/**
 * Looks whether the modules that are files are there, so that a mistyped path is told before anything starts.
 *
 * @throws {ServiceLoadError}
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

/** Python's modules go by their name, ours by their file. */
async function suggestion(module: string, url: string): Promise<string> {
  const found = await Deno.stat(`${fileURLToPath(url)}.ts`).catch(() => undefined);
  return found?.isFile ? `. Did you mean ${module}.ts?` : "";
}
