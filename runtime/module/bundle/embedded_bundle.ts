/**
 * Reads what `compile` has put into a binary beside the code: the remote modules of a service, and the optional
 * parameters of local ones, as they were when the binary was compiled.
 *
 * A bundle imports the runtime, and the URL of the runtime is known only where the binary runs. The file with
 * the bundle has a fixed word in place of that URL. A local module is code of the binary. If it has optional
 * parameters, a file says which, and where the module is.
 */
import { OWN_FOLDER } from "../../program/own_modules.ts";
import {
  NO_OPTIONAL_PARAMETERS,
  type OptionalParameters,
} from "../../service/declared/optional_parameters.ts";
import type { EmbeddedModule, ModuleBundle } from "../../channel/port.ts";

/** Word that replaces the URL of the runtime's folder. */
export const OWN_ROOT = "enoki-runtime:/";

/** Returns the paths of the runtime's modules that the code of a bundle with {@linkcode OWN_ROOT} imports. */
export function ownPathsIn(code: string): readonly string[] {
  return [...new Set([...code.matchAll(OWN_REGEXP)].map(([, path]) => path!))];
}

const OWN_REGEXP = new RegExp(`"${OWN_ROOT}([^"]*)"`, "g");

/** Suffix of a file with a {@linkcode TypedModule}. */
export const TYPED_SUFFIX = ".typed";

/** A local module inside a binary that has optional parameters. */
export interface TypedModule {
  /** Address of the module, relative to this file. */
  readonly module: string;
  readonly optional: OptionalParameters;
}

/** Suffix of a file with a bundle. Deno does not know it, but would take a `.json` file for a module. */
export const BUNDLE_SUFFIX = ".bundle";

/** Returns what a thread must load for a module inside this binary: the module by its URL, or a bundle. */
export async function embeddedModule(url: string): Promise<EmbeddedModule | ModuleBundle> {
  if (url.endsWith(TYPED_SUFFIX)) {
    const { module, optional }: TypedModule = JSON.parse(await Deno.readTextFile(new URL(url)));
    return { url: new URL(module, url).href, optional };
  }
  if (!url.endsWith(BUNDLE_SUFFIX)) return { url, optional: NO_OPTIONAL_PARAMETERS };
  const bundle: ModuleBundle = JSON.parse(await Deno.readTextFile(new URL(url)));
  return { ...bundle, code: bundle.code.replaceAll(`"${OWN_ROOT}`, `"${OWN_FOLDER}`) };
}
