import { ServiceLoadError } from "../message/errors.ts";
import type { ModuleSpecifier } from "./specifier.ts";

/** Thrown if a module loads, but exports no service or not the wanted one. */
export class NoServiceError extends ServiceLoadError {}

/**
 * Chooses the services to serve among those that a module exports: all of them, or the named one.
 *
 * @param nameOf Gives the name of a service.
 * @throws {NoServiceError} If the module exports no service or not the named one.
 */
export function chooseServices<Exported extends { readonly exportName: string }>(
  exported: readonly Exported[],
  nameOf: (exported: Exported) => string,
  { url, service }: ModuleSpecifier,
): readonly Exported[] {
  if (exported.length === 0) {
    throw new NoServiceError(
      `Cannot serve module ${url}: it exports no service. Export one: export default service("name", { ... })`,
    );
  }
  if (service === undefined) return exported;
  const chosen = exported.filter((each) => nameOf(each) === service || each.exportName === service);
  if (chosen.length > 0) return chosen;
  throw new NoServiceError(
    `Cannot serve module ${url}: it exports no service "${service}", only ${
      exported.map((each) => `"${nameOf(each)}"`).join(", ")
    }`,
  );
}
