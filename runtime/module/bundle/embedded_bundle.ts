/**
 * Reads bundles inside a binary: the remote modules of a service, as they were when the binary was compiled.
 *
 * A bundle imports the runtime, and the URL of the runtime is known only where the binary runs. The file with
 * the bundle has a fixed word in place of that URL.
 */
import { OWN_FOLDER } from "../../program/own_modules.ts";
import type { ModuleBundle, ThreadModule } from "../../channel/port.ts";

/** Word that replaces the URL of the runtime's folder. */
export const OWN_ROOT = "enoki-runtime:/";

/** Suffix of a file with a bundle. Deno does not know it, but would take a `.json` file for a module. */
export const BUNDLE_SUFFIX = ".bundle";

/** Returns what a thread must load for a module inside this binary: the URL of the module, or a bundle. */
export async function embeddedModule(url: string): Promise<ThreadModule> {
  if (!url.endsWith(BUNDLE_SUFFIX)) return url;
  const bundle: ModuleBundle = JSON.parse(await Deno.readTextFile(new URL(url)));
  return { ...bundle, code: bundle.code.replaceAll(`"${OWN_ROOT}`, `"${OWN_FOLDER}`) };
}
