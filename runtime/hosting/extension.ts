import type { Section } from "../config/section.ts";
import type { Transport, TransportOptions } from "../message/transport.ts";
import { BRAND, hasBrand } from "../service/brand.ts";
import type { ManifestDependency } from "../service/manifest.ts";
import type {
  DependencyHalf,
  DependencyRegistry,
  DependencySetupHost,
  Entrypoint,
  EntrypointHost,
  EntrypointRegistry,
  HostedCall,
  HostedEntrypoint,
  HostHook,
} from "./host.ts";
import { didYouMean, nearestNames } from "../service/options/nearest_names.ts";

/** Makes a transport that is not connected yet from the URI of a broker. */
export type TransportFactory = (uri: string, options: TransportOptions) => Transport | Promise<Transport>;

/** Transports by the scheme of their URIs, such as `nats`. */
export type TransportRegistry = Readonly<Record<string, TransportFactory>>;

/** What an extension adds to the main thread, once its settings have been read. */
export interface ExtensionParts {
  /** Factories of entrypoints, by kind. */
  readonly entrypoints: EntrypointRegistry;
  /** Halves of dependencies in the main thread, by kind. */
  readonly dependencies: DependencyRegistry;
  /** Factories of transports, by the scheme of the URI. */
  readonly transports: TransportRegistry;
  /** Hooks around each call of each service, the first one outermost. */
  readonly around: readonly HostHook[];
}

/** What the author of an extension says about its host half. */
export interface ExtensionSpec<Values> {
  /**
   * Reads the keys that the extension has in the configuration. The process calls it once, before anything
   * starts, and a value that it refuses ends the start. Every factory below gets what it returns.
   *
   * @default {nothing is read, and the factories get undefined}
   */
  readonly settings?: (at: Section) => Values;
  /** Kinds of entrypoints. @default {{}} */
  readonly entrypoints?: Readonly<
    Record<
      string,
      (entries: readonly HostedEntrypoint[], host: EntrypointHost, settings: Values) => Entrypoint
    >
  >;
  /** Kinds of dependencies that need a setup in the main thread. @default {{}} */
  readonly dependencies?: Readonly<
    Record<
      string,
      (
        dependency: ManifestDependency,
        host: DependencySetupHost,
        settings: Values,
      ) => Promise<DependencyHalf | void>
    >
  >;
  /** Runs around each call of every service, in the main thread. @default {no hook} */
  readonly around?: (
    call: HostedCall,
    next: Parameters<HostHook>[1],
    settings: Values,
  ) => ReturnType<HostHook>;
  /**
   * Transports by the scheme of their URIs: `nats` makes `--broker nats://…` work. A factory only reads the
   * URI; `connect()` of the transport opens the connection.
   *
   * @default {{}}
   */
  readonly transports?: Readonly<
    Record<
      string,
      (uri: string, options: TransportOptions, settings: Values) => Transport | Promise<Transport>
    >
  >;
}

/** The host half of an extension: the value that an extension module exports. */
export interface Extension {
  /**
   * Tells an extension from other values.
   *
   * @internal
   */
  readonly [BRAND]: "extension";
  /**
   * Reads the settings of the extension and gives its parts.
   *
   * @throws {ConfigurationError} If the configuration has a wrong value for it.
   */
  readonly parts: (at: Section) => ExtensionParts;
}

/**
 * Defines the host half of an extension.
 *
 * The main thread loads it with all the rights of the process, so it is code of the operator and never code of
 * a service. Where an extension has a kind or a scheme that is built in, the extension wins.
 *
 * @throws {TypeError} If a kind or a scheme has no factory, a scheme is not one, or a part is not known.
 *
 * @example
 * ```ts ignore
 * import { extension } from "@enoki/enoki/hosting";
 *
 * export default extension({ entrypoints: { lines: (entries, host) => new LinesHost(entries, host) } });
 * ```
 */
export function extension<Values = undefined>(spec: ExtensionSpec<Values>): Extension {
  requireParts(spec);
  const { settings, entrypoints = {}, dependencies = {}, transports = {}, around } = spec;
  for (const [what, registry] of Object.entries({ entrypoints, dependencies, transports })) {
    for (const [name, factory] of Object.entries(registry)) {
      if (typeof factory === "function") continue;
      throw new TypeError(`Cannot define an extension: "${name}" of its ${what} is not a function`);
    }
  }
  for (const scheme of Object.keys(transports)) {
    if (SCHEME.test(scheme)) continue;
    throw new TypeError(`Cannot define an extension: "${scheme}" is not the scheme of a URI, such as nats`);
  }
  return {
    [BRAND]: "extension",
    parts(at) {
      const values = settings?.(at) as Values;
      return {
        entrypoints: mapped(entrypoints, (make) => (entries, host) => make(entries, host, values)),
        dependencies: mapped(dependencies, (setUp) => (dependency, host) => setUp(dependency, host, values)),
        around: around === undefined ? [] : [(call, next) => around(call, next, values)],
        transports: mapped(transports, (make) => (uri, options) => make(uri, options, values)),
      };
    },
  };
}

const PARTS = ["entrypoints", "dependencies", "transports", "around", "settings"];

/** Refuses a part that is not known: an extension with a mistyped part would load, and do nothing. */
function requireParts(spec: object): void {
  const unknown = Object.keys(spec).find((part) => !PARTS.includes(part));
  if (unknown === undefined) return;
  const known = didYouMean(nearestNames(unknown, PARTS)) || `. Its parts are ${PARTS.join(", ")}`;
  throw new TypeError(`Cannot define an extension: it has no part "${unknown}"${known}`);
}

/** Returns whether a value is an extension, of whichever copy of this library. */
export function isExtension(value: unknown): value is Extension {
  return hasBrand(value, "extension");
}

/** The scheme of a URI as RFC 3986, section 3.1, has it, in lower case. */
const SCHEME = /^[a-z][a-z\d+.-]*$/;

function mapped<From, To>(
  registry: Readonly<Record<string, From>>,
  change: (from: From) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(registry).map(([name, from]) => [name, change(from)]));
}
