/**
 * Bundles inside a binary: the modules of a service that come from the network, as they were when it was compiled.
 *
 * A bundle imports the runtime, whose URL is known only where the binary runs. A word stands for it in the file.
 */
import { OWN_FOLDER } from "../../program/own_modules.ts";
import type { ModuleBundle, ThreadModule } from "../../channel/port.ts";

/** Stands for the URL of the runtime's folder. */
export const OWN_ROOT = "enoki-runtime:/";

/** Of a file with a bundle. Unknown to Deno, which would take JSON for a module. */
export const BUNDLE_SUFFIX = ".bundle";

/** What a thread loads for a module inside this binary. */
export async function embeddedModule(url: string): Promise<ThreadModule> {
  if (!url.endsWith(BUNDLE_SUFFIX)) return url;
  const bundle: ModuleBundle = JSON.parse(await Deno.readTextFile(new URL(url)));
  return { ...bundle, code: bundle.code.replaceAll(`"${OWN_ROOT}`, `"${OWN_FOLDER}`) };
}
