import { entrypointsOf, type Service } from "./service.ts";
import type { PlainRecord } from "../message/plain.ts";

/** One entrypoint as the main thread knows it. */
export interface ManifestEntrypoint {
  readonly method: string;
  readonly kind: string;
  readonly options: PlainRecord;
  /** What documents say of it; only where they were asked for, since making them costs. */
  readonly details?: PlainRecord;
}

/** One dependency as the main thread knows it. */
export interface ManifestDependency {
  readonly key: string;
  /** Undefined where the main thread has nothing to do for it. */
  readonly kind: string | undefined;
  readonly options: PlainRecord;
}

/** Everything the main thread knows about a service: plain data, no code. */
export interface Manifest {
  readonly name: string;
  /** In the order of definition; a call names its entrypoint by its place in this list. */
  readonly entrypoints: readonly ManifestEntrypoint[];
  readonly dependencies: readonly ManifestDependency[];
}

/** Describes a service; with `details`, as its entrypoints describe themselves. */
export function describe(
  service: Service,
  { details = false }: { readonly details?: boolean } = {},
): Manifest {
  return {
    name: service.name,
    entrypoints: Object.entries(service.entrypoints).flatMap(([method, entry]) =>
      entrypointsOf(entry).map(({ kind, options, describe }) => ({
        method,
        kind,
        options,
        ...(details && describe && { details: describe() }),
      }))
    ),
    dependencies: Object.entries(service.dependencies).map(([key, { kind, options = {} }]) => ({
      key,
      kind,
      options,
    })),
  };
}
