import {
  type AnyFunction,
  type KnownParameters,
  parametersOf,
  readParameters,
  type ReadParametersOptions,
} from "./declared/parameters.ts";
import { usedDependencies } from "./dependency.ts";
import type { AnyEntrypoint } from "./entrypoint.ts";
import { handlersOf } from "./handlers.ts";
import { entrypointsOf, type Service } from "./service.ts";
import type { PlainRecord } from "../message/plain.ts";

/** One entrypoint as the main thread knows it. */
export interface ManifestEntrypoint {
  /** The method that the entrypoint calls. */
  readonly method: string;
  /** Kind of the entrypoint, such as `rpc`. */
  readonly kind: string;
  /** The options that the author has given. */
  readonly options: PlainRecord;
  /** Data for documents. Present only if somebody asked for it, because the thread needs time to make it. */
  readonly details?: PlainRecord;
}

/** One dependency as the main thread knows it. */
export interface ManifestDependency {
  /** Key in the context, or `owner.name` of a dependency that another one uses. */
  readonly key: string;
  /** Undefined if the main thread has nothing to set up for the dependency. */
  readonly kind: string | undefined;
  /** The options that the author has given. */
  readonly options: PlainRecord;
  /** Data for documents. Present only if somebody asked for it. */
  readonly details?: PlainRecord;
}

/** Everything the main thread knows about a service: plain data, no code. */
export interface Manifest {
  /** Name of the service. */
  readonly name: string;
  /** The entrypoints in the order of definition. A call names its entrypoint by its place in this list. */
  readonly entrypoints: readonly ManifestEntrypoint[];
  /** The dependencies in the order in which they are set up. */
  readonly dependencies: readonly ManifestDependency[];
}

/** Makes the manifest of a service, without details. */
export function describe(service: Service): Manifest {
  return {
    name: service.name,
    entrypoints: entriesOf(service).map(({ method, spec: { kind, options } }) => ({ method, kind, options })),
    dependencies: usedDependencies(service.dependencies).map(({ key, spec: { kind, options = {} } }) => ({
      key,
      kind,
      options,
    })),
  };
}

/**
 * Makes the manifest of a service, with the details by which the entrypoints and the dependencies describe themselves.
 *
 * @param reading Options for reading the handlers' parameters.
 */
export async function describeInDetail(
  service: Service,
  reading: ReadParametersOptions = {},
): Promise<Manifest> {
  const entries = entriesOf(service);
  const handlers = handlersOf<AnyFunction>(service.handlers as object, entries.map(({ method }) => method));
  const bindsByName = entries.some(({ spec }) => spec.bindsByName && spec.describe !== undefined);
  const known: KnownParameters = bindsByName ? await readParameters(handlers, reading) : {};
  const entrypoints = await Promise.all(
    entries.map(async ({ method, spec: { kind, options, describe } }) => ({
      method,
      kind,
      options,
      ...(describe && { details: await describe({ parameters: parametersOf(handlers[method]!, known) }) }),
    })),
  );
  const dependencies = await Promise.all(
    usedDependencies(service.dependencies).map(async ({ key, spec: { kind, options = {}, describe } }) => ({
      key,
      kind,
      options,
      ...(describe && { details: await describe() }),
    })),
  );
  return { name: service.name, entrypoints, dependencies };
}

/** Lists the entrypoints of a service in the order of definition, which is that of the manifest. */
export function entriesOf({ entrypoints }: Service): readonly Entry[] {
  return Object.entries(entrypoints).flatMap(([method, entry]) =>
    entrypointsOf(entry).map((spec) => ({ method, spec }))
  );
}

/** One entrypoint and the method that it belongs to. */
export interface Entry {
  readonly method: string;
  readonly spec: AnyEntrypoint;
}
