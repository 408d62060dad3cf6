/**
 * Finds out, in a thread, which parameters of its module have a `?`.
 *
 * The thread may read the files of its module anyway, because it loads them. So the work on a source falls to
 * its own service, and the main thread parses none.
 */
import type { ThreadModule } from "../channel/port.ts";
import { readModuleText } from "../service/declared/module_text.ts";
import { NO_OPTIONAL_PARAMETERS, type OptionalParameters } from "../service/declared/optional_parameters.ts";

/** @param names Names of the parameters that matter. */
export async function optionalParametersOf(
  module: ThreadModule,
  names: ReadonlySet<string>,
): Promise<OptionalParameters> {
  if (typeof module === "object" && module.optional !== undefined) return module.optional;
  // Only the module itself is known if this process may not ask `deno info` what the module imports.
  const places = typeof module === "string" ? [module] : module.files;
  const texts = await Promise.all(places.map((place) => readModuleText(place, Deno.readTextFile)));
  const sources = texts.filter((text) => text !== undefined);
  if (sources.length === 0) return NO_OPTIONAL_PARAMETERS;
  const { readOptionalParameters } = await import("../service/declared/optional_reader.ts");
  return await readOptionalParameters(sources, { names });
}
