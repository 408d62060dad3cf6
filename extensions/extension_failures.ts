/**
 * Names an extension in what its functions throw.
 *
 * An extension is somebody else's code in the main thread. Where it fails, the operator has to read which extension
 * that is, and where in it, and must not take the failure for one of Enoki. An error that says so by itself, such as
 * a {@linkcode BrokerError}, stays as it is.
 */
import type { ExtensionParts } from "../runtime/hosting/extension.ts";
import type {
  DependencySetup,
  Entrypoint,
  EntrypointFactory,
  EntrypointHost,
} from "../runtime/hosting/host.ts";
import {
  BrokerError,
  CallError,
  ConfigurationError,
  ExtensionError,
  ServiceLoadError,
  UnroutableError,
} from "../runtime/message/errors.ts";
import type { Transport } from "../runtime/message/transport.ts";

const OURS = [BrokerError, CallError, ConfigurationError, ExtensionError, ServiceLoadError, UnroutableError];

/**
 * Makes the error for what an extension has thrown.
 *
 * @param failed What failed, as a sentence without its end.
 */
export function extensionFailure(failed: string, thrown: unknown): unknown {
  // A signal's reason is the answer to whoever has aborted.
  if (thrown instanceof DOMException || OURS.some((known) => thrown instanceof known)) return thrown;
  const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown);
  return new ExtensionError(`${failed}: ${reason}`, { cause: thrown });
}

/**
 * Gives the parts of an extension, whose failures name it.
 *
 * @param extension Words for it, such as `extension ./lines_host.ts`.
 */
export function namedParts(extension: string, parts: ExtensionParts): ExtensionParts {
  const { entrypoints, dependencies, transports } = parts;
  return {
    ...parts,
    entrypoints: mapped(entrypoints, (make, kind) => namedEntrypoints(extension, kind, make)),
    dependencies: mapped(dependencies, (setUp, kind) => namedSetup(extension, kind, setUp)),
    transports: mapped(transports, (make, scheme) => async (uri, options) => {
      const failed = `Cannot make the transport for "${scheme}:" with ${extension}`;
      return await named(failed, async () => requireTransport(await make(uri, options)));
    }),
  };
}

function namedEntrypoints(extension: string, kind: string, make: EntrypointFactory): EntrypointFactory {
  return (entries, host) => {
    const failed =
      `Cannot serve entrypoints of kind "${kind}" in service "${host.service}" with ${extension}`;
    let entrypoint: Entrypoint;
    try {
      entrypoint = requireEntrypoint(make(entries, watching(host, failed)));
    } catch (thrown) {
      throw extensionFailure(failed, thrown);
    }
    return {
      setup: () => named(failed, async () => await entrypoint.setup?.()),
      start: () => named(failed, async () => await entrypoint.start()),
      stop: (options) => entrypoint.stop(options),
      [Symbol.asyncDispose]: () => entrypoint[Symbol.asyncDispose](),
    };
  };
}

function namedSetup(extension: string, kind: string, setUp: DependencySetup): DependencySetup {
  return (dependency, host) =>
    named(
      `Cannot set up dependency "${dependency.key}" of kind "${kind}" in service "${host.service}" with ${extension}`,
      async () => await setUp(dependency, host),
    );
}

/** Gives the same host, but what it watches is named when it fails. */
function watching(host: EntrypointHost, failed: string): EntrypointHost {
  const watch: EntrypointHost["watch"] = (task) => host.watch(named(failed, () => task));
  // A copy of its values would keep the demand that there is now.
  const descriptors = {
    ...Object.getOwnPropertyDescriptors(host),
    watch: { value: watch, enumerable: true },
  };
  return Object.defineProperties({}, descriptors) as EntrypointHost;
}

async function named<Value>(failed: string, run: () => Promise<Value>): Promise<Value> {
  try {
    return await run();
  } catch (thrown) {
    throw extensionFailure(failed, thrown);
  }
}

function requireEntrypoint(made: Entrypoint): Entrypoint {
  const given: Partial<Entrypoint> = Object(made);
  if ([given.start, given.stop, given[Symbol.asyncDispose]].every((each) => typeof each === "function")) {
    return made;
  }
  throw new TypeError("The factory must return an object with start(), stop() and [Symbol.asyncDispose]()");
}

function requireTransport(made: Transport): Transport {
  if (typeof Object(made).connect === "function") return made;
  throw new TypeError("The factory must return a transport");
}

function mapped<From, To>(
  registry: Readonly<Record<string, From>>,
  change: (from: From, key: string) => To,
): Readonly<Record<string, To>> {
  return Object.fromEntries(Object.entries(registry).map(([key, from]) => [key, change(from, key)]));
}
