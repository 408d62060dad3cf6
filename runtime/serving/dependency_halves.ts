import type { DependencyHalf, DependencyRegistry, DependencySetupHost } from "../hosting/host.ts";
import { didYouMean, nearestNames } from "../service/options/nearest_names.ts";
import { ConfigurationError } from "../message/errors.ts";
import type { ManifestDependency } from "../service/manifest.ts";

/** The halves in the main thread of the dependencies of one service. Disposing them leaves none. */
export class DependencyHalves implements AsyncDisposable {
  readonly #registry: DependencyRegistry;
  readonly #host: DependencySetupHost;
  /** Halves by key, with what tells whether a newer version has the same dependency. */
  readonly #halves = new Map<string, { readonly identity: string; readonly half: DependencyHalf }>();

  constructor(registry: DependencyRegistry, host: DependencySetupHost) {
    this.#registry = registry;
    this.#host = host;
  }

  /**
   * Sets up what these dependencies need. A dependency that has a half already, under the same options, keeps it.
   *
   * @throws {ConfigurationError} If no extension is registered for the kind of a dependency.
   */
  async setUp(dependencies: readonly ManifestDependency[]): Promise<void> {
    for (const dependency of dependencies) {
      const { key, kind, options } = dependency;
      if (kind === undefined) continue;
      const setUp = this.#registry[kind];
      if (setUp === undefined) throw noExtension(this.#host.service, "dependencies", kind, this.#registry);
      const identity = JSON.stringify([kind, options]);
      const former = this.#halves.get(key);
      if (former?.identity === identity) continue;
      const half = await setUp(dependency, this.#host);
      if (half === undefined) continue;
      this.#halves.set(key, { identity, half });
      await former?.half[Symbol.asyncDispose]?.();
    }
  }

  async [Symbol.asyncDispose](): Promise<void> {
    const halves = [...this.#halves.values()];
    this.#halves.clear();
    const ends = await Promise.allSettled(halves.map(({ half }) => half[Symbol.asyncDispose]?.()));
    for (const end of ends) if (end.status === "rejected") throw end.reason;
  }
}

/**
 * Makes the error for a kind that no extension provides.
 *
 * @param registry The kinds that there are.
 */
export function noExtension(
  service: string,
  what: string,
  kind: string,
  registry: Readonly<Record<string, unknown>>,
): ConfigurationError {
  return new ConfigurationError(
    `Cannot serve service "${service}": no extension provides ${what} of kind "${kind}". ` +
      "Name the module of one that does: --extension <module>, extensions in the configuration, or run()" +
      didYouMean(nearestNames(kind, Object.keys(registry))),
  );
}
