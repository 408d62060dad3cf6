import { type ModuleSpecifier, parseModuleSpecifier } from "../module/specifier.ts";
import { type Service, serviceOf } from "../service/service.ts";
import type { ThreadKind } from "../spawning/spawner.ts";

/** A service as a program has it: a value of `service()`, or a class with decorators. */
// deno-lint-ignore no-explicit-any -- the parameters of handlers differ, and no narrower type takes all of them
export type ServiceValue = Service<string, any, any, any, any> | (abstract new () => object);

/** Where a program's services come from: the path or URL of a module, or a service itself. */
export type ServiceOrModule = string | URL | ServiceValue;

/** Where services come from: a module, or the program itself. */
export interface ServiceSource extends ModuleSpecifier {
  /** The service, if it is served inline. `url` is then only a name for messages. */
  readonly inline?: Service;
}

/**
 * Reads what a program gives to be served. A service that names its module comes from there, unless all
 * threads are inline.
 *
 * @throws {TypeError} If it is none of these things, or a class with decorators makes no valid service.
 * @throws {ServiceLoadError} If a text begins like a URL and is not a URL.
 */
export function serviceSource(given: ServiceOrModule, threadKind?: ThreadKind): ServiceSource {
  if (typeof given === "string" || given instanceof URL) return parseModuleSpecifier(given);
  const service = serviceOf(given);
  if (service === undefined) {
    throw new TypeError(
      `Cannot serve ${
        given === null ? "null" : `a value of type ${typeof given}`
      }: it is neither a path, nor a ` +
        "URL, nor a service. Make one with service(), or with decorators",
    );
  }
  const { name, module } = service;
  return module === undefined || threadKind === "inline"
    ? { url: `inline:${name}`, service: name, inline: service }
    : { url: module, service: name };
}
