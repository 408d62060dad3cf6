/**
 * This folder holds what an author of services writes: services, contracts, entrypoints and dependencies.
 *
 * This file defines services. The types by which the compiler checks handlers against entrypoints are in `checked/`.
 */
import { BRAND, hasBrand } from "./brand.ts";
import type { HandlersOf } from "./checked/asked_handlers.ts";
import type { DependencyMistakes, HandlerMistakes, ServiceName } from "./checked/mistakes.ts";
import type { DependencyTable } from "./dependency.ts";
import type { AddedBy, AnyHook, OutgoingHook } from "./hook.ts";
import type { AnyEntrypoint, EntrypointTable } from "./entrypoint.ts";
import { findHandler, isLiteral } from "./handlers.ts";

export type { Context, Injected, MethodOf } from "./checked/asked_handlers.ts";

/** The offer of a service without its code: enough for a client, and for an implementation elsewhere. */
export interface Contract<
  Name extends string = string,
  Entrypoints extends EntrypointTable = EntrypointTable,
  Dispatchers extends DependencyTable = DependencyTable,
> {
  /**
   * Tells a contract from other values.
   *
   * @internal
   */
  readonly [BRAND]: "contract" | "service";
  /** Name of the service, which is one word of a routing key. */
  readonly name: Name;
  /** What the outside may call, by method. */
  readonly entrypoints: Entrypoints;
  /** The dispatchers of a contract, which are among the dependencies of each service that implements it. */
  readonly dispatchers?: Dispatchers;
}

/** A service: data that a thread serves. */
export interface Service<
  Name extends string = string,
  Dependencies extends DependencyTable = DependencyTable,
  Entrypoints extends EntrypointTable = EntrypointTable,
  /** A table of functions, or an instance of a class. Inference keeps the real type. */
  Handlers = unknown,
  Around extends readonly AnyHook[] = readonly AnyHook[],
> // deno-lint-ignore ban-types -- its dispatchers are among its dependencies
  extends Contract<Name, Entrypoints, {}> {
  /**
   * Tells a service from other values.
   *
   * @internal
   */
  readonly [BRAND]: "service";
  /** What its handlers use, by the key in their context. */
  readonly dependencies: Dependencies;
  /** The functions that the entrypoints call. */
  readonly handlers: Handlers;
  /** The hooks around each handler, the first one outermost. */
  readonly around: Around;
  /** The hooks around what the handlers send, the first one outermost. */
  readonly outgoing: readonly OutgoingHook[];
  /** URL of the module that exports the service, if its definition has named it. */
  readonly module?: string;
}

/** The parts of a service beside its name, or beside its contract, which has the entrypoints already. */
export interface ServiceDefinition<
  Dependencies extends DependencyTable,
  Entrypoints extends EntrypointTable,
  Handlers,
  Around extends readonly AnyHook[] = readonly AnyHook[],
> {
  /** What the handlers use, by the key in their context. @default {{}} */
  readonly dependencies?: Dependencies & DependencyMistakes<Dependencies>;
  /** What the outside may call, by method. A contract has them already. @default {{}} */
  readonly entrypoints?: Entrypoints;
  /**
   * URL of the module that exports the service: `import.meta.url`. With it, a program that gives the service itself
   * to `run()` has it served in threads, which load this module. Nothing else reads it.
   *
   * @default {none: such a program serves the service inline, in its own thread}
   */
  readonly module?: string;
  /** Hooks that run around each handler, the first one outermost, inside of the dependencies. @default {[]} */
  readonly around?: Around;
  /** Hooks through which everything goes that the handlers send, the first one outermost. @default {[]} */
  readonly outgoing?: readonly OutgoingHook[];
  /**
   * The functions that the entrypoints call, or an instance of a class with such methods, its own or inherited.
   * They are called on this object.
   */
  readonly handlers: Handlers & HandlerMistakes<Handlers, Entrypoints>;
}

/**
 * Defines a service: a name, what it depends on, its entrypoints, and the handlers they call.
 *
 * With a contract in place of the name, the service implements that contract and takes its name and
 * entrypoints. The value is inert: nothing connects and nothing runs until a container serves the service. A
 * handler's first parameter is the context: the dependencies by name, and `call`. Annotate the parameters of
 * an RPC handler, unless its contract or schema types them: without a type, they do not compile.
 *
 * @throws {TypeError} If a name cannot be a word of a routing key (it is empty, or has a dot, a space, `*` or `#`), a
 *   method is called `then`, a handler is missing, or it is a generator and its entrypoint streams nothing. If
 *   `module` is not a URL.
 *
 * @example
 * ```ts
 * import { rpc, service } from "@enoki/enoki";
 *
 * export default service("greeting_service", {
 *   entrypoints: { hello: rpc() },
 *   handlers: { hello: (_context, name: string) => `Hello, ${name}!` },
 * });
 * ```
 */
export function service<
  const Name extends string,
  Handlers extends Partial<HandlersOf<Dispatchers & Dependencies, Entrypoints, AddedBy<Around>>>,
  // deno-lint-ignore ban-types -- no entrypoints
  const Entrypoints extends EntrypointTable = {},
  // deno-lint-ignore ban-types -- no dependencies
  Dependencies extends DependencyTable = {},
  const Around extends readonly AnyHook[] = readonly [],
  // deno-lint-ignore ban-types -- no dispatchers
  Dispatchers extends DependencyTable = {},
>(
  nameOrContract: ServiceName<Name> | Contract<Name, Entrypoints, Dispatchers>,
  definition: ServiceDefinition<Dependencies, Entrypoints, Handlers, Around>,
): Service<Name, Dispatchers & Dependencies, Entrypoints, Handlers, Around> {
  const { name, entrypoints, dispatchers }: Contract = typeof nameOrContract === "string"
    ? contract(nameOrContract, definition?.entrypoints ?? {})
    : nameOrContract;
  const { dependencies: own, handlers, around = [], outgoing = [], module } = definition ?? {};
  const dependencies: DependencyTable = { ...dispatchers, ...own };
  if (typeof handlers !== "object" || handlers === null) {
    throw new TypeError(
      `Cannot define service "${name}": "handlers" is missing. Add the object with the handlers`,
    );
  }
  if ("call" in dependencies) {
    throw new TypeError(`Cannot define service "${name}": the context reserves the key "call"`);
  }
  for (const [key, spec] of Object.entries(dependencies)) {
    if (!hasBrand(spec, "dependency")) {
      throw new TypeError(
        `Cannot define service "${name}": dependency "${key}" is none, make it with provider()`,
      );
    }
  }
  for (const [method, entry] of Object.entries<AnyEntrypoint | readonly AnyEntrypoint[]>(entrypoints)) {
    const handler = findHandler(handlers, method);
    if (typeof handler !== "function") {
      throw new TypeError(`Cannot define service "${name}": entry "${method}" has no handler`);
    }
    const silent = entrypointsOf(entry).find(({ streams }) => streams !== true);
    if (silent !== undefined && isGenerator(handler)) {
      throw new TypeError(
        `Cannot define service "${name}": the handler of "${method}" is a generator, which an entrypoint of ` +
          `kind "${silent.kind}" would never run. Make it an async function`,
      );
    }
  }
  // An instance of a class may have private methods, which only the compiler can tell from stray handlers.
  for (const [method, member] of isLiteral(handlers) ? Object.entries(handlers) : []) {
    if (typeof member === "function" && !Object.hasOwn(entrypoints, method)) {
      throw new TypeError(`Cannot define service "${name}": handler "${method}" has no entrypoint`);
    }
  }
  for (const [option, hooks] of Object.entries({ around, outgoing })) {
    if (Array.isArray(hooks) && hooks.every((hook) => typeof hook === "function")) continue;
    throw new TypeError(`Cannot define service "${name}": "${option}" must be a list of functions`);
  }
  if (module !== undefined && !URL.canParse(module)) {
    throw new TypeError(
      `Cannot define service "${name}": "module" must be the URL of its module. Write module: import.meta.url`,
    );
  }
  const made: Service = {
    [BRAND]: "service",
    name,
    dependencies,
    entrypoints,
    handlers,
    around,
    outgoing,
    ...(module !== undefined && { module }),
  };
  return made as Service<Name, Dispatchers & Dependencies, Entrypoints, Handlers, Around>;
}

/**
 * Declares the name and the entrypoints of a service, apart from its code.
 *
 * Use a contract if two services call each other, or handle the events of each other. The type of each service then
 * comes from the contract of the other, so that neither type depends on itself.
 *
 * @param dispatchers The dispatchers by name, whose events belong to the offer. Each service that implements the
 *   contract has them as dependencies.
 * @throws {TypeError} If a name cannot be a word of a routing key: it is empty, or has a dot, a space, `*` or `#`.
 *
 * @example
 * ```ts ignore
 * import { contract, dispatcher, rpc } from "@enoki/enoki";
 *
 * export const payments = contract("payments", {
 *   charge: rpc<(total: number) => Promise<Receipt>>(),
 * }, { emit: dispatcher<{ charged: Receipt }>() });
 * ```
 */
export function contract<
  const Name extends string,
  const Entrypoints extends EntrypointTable,
  // deno-lint-ignore ban-types -- no dispatchers
  Dispatchers extends DependencyTable = {},
>(
  name: ServiceName<Name>,
  entrypoints: Entrypoints,
  dispatchers?: Dispatchers,
): Contract<Name, Entrypoints, Dispatchers> {
  if (typeof name !== "string" || !WORD_REGEXP.test(name)) {
    throw new TypeError(`Cannot define service "${name}": a name is one word without dots or white space`);
  }
  for (const [method, entry] of Object.entries(entrypoints)) {
    if (!WORD_REGEXP.test(method) || RESERVED_METHODS.has(method)) {
      throw new TypeError(
        `Cannot define service "${name}": "${method}" cannot be a method's name, use one word without dots`,
      );
    }
    for (const spec of entrypointsOf(entry)) {
      if (!hasBrand(spec, "entrypoint")) {
        throw new TypeError(`Cannot define service "${name}": entry "${method}" is not an entrypoint`);
      }
    }
  }
  return { [BRAND]: "contract", name: name as Name, entrypoints, ...(dispatchers && { dispatchers }) };
}

function isGenerator(handler: unknown): boolean {
  return /GeneratorFunction\]$/.test(Object.prototype.toString.call(handler));
}

/** Routing keys are words with dots between them. The RPC binding is `service.*`, so a name is one word. */
const WORD_REGEXP = /^[^.\s*#]+$/u;

/** JavaScript would take a client with a method `then` for a promise. */
const RESERVED_METHODS: ReadonlySet<string> = new Set(["then"]);

/** Returns the entrypoints of one method as a list. */
export function entrypointsOf(entry: AnyEntrypoint | readonly AnyEntrypoint[]): readonly AnyEntrypoint[] {
  return Array.isArray(entry) ? entry : [entry as AnyEntrypoint];
}

/** Returns whether a value is a service that any copy of this library defined. */
export function isService(value: unknown): value is Service {
  return hasBrand(value, "service");
}

/** What stands in the metadata of a class that is a service: a function that takes the class and returns the service. */
export const CLASS_TO_SERVICE: unique symbol = Symbol.for("enoki.class_to_service") as never;

/** Key of a class's metadata, as the code has it that transpilers write for decorators. */
export const METADATA: symbol = (Symbol as { readonly metadata?: symbol }).metadata ??
  Symbol.for("Symbol.metadata");

/**
 * Returns the service that an exported value is: a service itself, or a class with decorators.
 *
 * @returns Undefined for any other value.
 * @throws {TypeError} If a class with decorators makes no valid service.
 */
export function serviceOf(value: unknown): Service | undefined {
  if (isService(value)) return value;
  if (typeof value !== "function") return undefined;
  const metadata = (value as unknown as Record<symbol, Record<symbol, unknown> | null | undefined>)[METADATA];
  const toService = metadata?.[CLASS_TO_SERVICE];
  return typeof toService === "function" ? toService(value) : undefined;
}

/** A service that a module exports. */
export interface FoundService {
  readonly exportName: string;
  readonly service: Service;
}

/** Finds the services that a module exports, each by the first of its names. */
export function servicesIn(module: Readonly<Record<string, unknown>>): readonly FoundService[] {
  const found = new Map<Service, FoundService>();
  for (const [exportName, value] of Object.entries(module)) {
    const service = serviceOf(value);
    if (service !== undefined && !found.has(service)) found.set(service, { exportName, service });
  }
  return [...found.values()];
}
