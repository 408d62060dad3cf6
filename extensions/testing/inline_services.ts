/** The services of a test as objects that this thread can run, with fakes among their dependencies. */
import { ServiceLoadError } from "../../runtime/message/errors.ts";
import { isRecord } from "../../runtime/message/plain.ts";
import { parseModuleSpecifier } from "../../runtime/module/specifier.ts";
import { dependency, type DependencySpec } from "../../runtime/service/dependency.ts";
import { didYouMean, nearestNames } from "../../runtime/service/options/nearest_names.ts";
import { type Service, servicesIn } from "../../runtime/service/service.ts";
import { chooseServices } from "../../runtime/module/choose_services.ts";
import { type ServiceOrModule, serviceSource } from "../../runtime/serving/service_source.ts";
import { fakeClient } from "./fake_client.ts";

/** Fakes by the names of services and of their dependencies. */
export type Fakes = Readonly<Record<string, Readonly<Record<string, unknown>>>>;

/**
 * Loads the services of a test into this thread.
 *
 * @throws {ServiceLoadError} If a module does not load, or exports no such service.
 * @throws {TypeError} If one of them is neither a path, nor a URL, nor a service.
 */
export async function inlineServices(given: readonly ServiceOrModule[]): Promise<readonly Service[]> {
  const loaded = await Promise.all(given.map(async (each) => {
    if (typeof each === "string" || each instanceof URL) return await exportedServices(each);
    return [serviceSource(each, "inline").inline!];
  }));
  return loaded.flat();
}

async function exportedServices(module: string | URL): Promise<readonly Service[]> {
  const specifier = parseModuleSpecifier(module);
  const { url } = specifier;
  let exports: Readonly<Record<string, unknown>>;
  try {
    exports = await import(url);
  } catch (error) {
    throw new ServiceLoadError(`Cannot load module ${url}: ${(error as Error).message}`, { cause: error });
  }
  const chosen = chooseServices(servicesIn(exports), ({ service }) => service.name, specifier);
  // Where the source is, the optional parameters of the handlers can be found.
  return chosen.map(({ service }) => ({ module: url, ...service }));
}

/**
 * Puts fakes in the place of dependencies.
 *
 * @throws {TypeError} If there is no such service or no such dependency.
 */
export function withFakes(services: readonly Service[], fakes: Fakes): readonly Service[] {
  const names = services.map(({ name }) => name);
  for (const name of Object.keys(fakes)) {
    if (names.includes(name)) continue;
    throw new TypeError(
      `Cannot replace dependencies of "${name}": no service here has that name${
        didYouMean(nearestNames(name, names)) || `, only ${names.join(", ")}`
      }`,
    );
  }
  return services.map((service) => {
    const own = fakes[service.name];
    return own === undefined ? service : withOwnFakes(service, own);
  });
}

function withOwnFakes(service: Service, fakes: Readonly<Record<string, unknown>>): Service {
  const { name, dependencies } = service;
  const replaced = Object.entries(fakes).map(([key, fake]) => {
    const spec = Object.hasOwn(dependencies, key) ? dependencies[key] : undefined;
    if (spec !== undefined) return [key, fakeDependency(spec, fake)] as const;
    const keys = Object.keys(dependencies);
    throw new TypeError(
      `Cannot replace dependency "${key}" of "${name}": the service has ${
        keys.length === 0 ? "no dependencies" : `only ${keys.join(", ")}`
      }${didYouMean(nearestNames(key, keys))}`,
    );
  });
  return { ...service, dependencies: { ...dependencies, ...Object.fromEntries(replaced) } };
}

/** Makes a dependency that gives a fake. A client may be given as plain functions. */
function fakeDependency({ client }: DependencySpec<unknown>, fake: unknown): DependencySpec<unknown> {
  const value = client !== undefined && isRecord(fake) ? fakeClient(fake) : fake;
  return dependency({ bind: () => ({ get: () => value }) });
}
