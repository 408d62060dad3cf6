/**
 * Makes services from classes whose methods and fields have decorators.
 *
 * A decorator runs before its class exists, so it writes into the class's metadata, and the metadata tells the loader
 * how to make a service of the class. Each call has an instance of its own, as in Nameko: what a call keeps in `this`,
 * no other call sees, and methods may use private members, which no object but a real instance has.
 */
import type { AnyHook, OutgoingHook } from "../runtime/service/hook.ts";
import type { DependencySpec } from "../runtime/service/dependency.ts";
import type { AnyEntrypoint } from "../runtime/service/entrypoint.ts";
import { METHOD_BEHIND } from "../runtime/service/declared/parameters.ts";
import type { Unstated } from "../runtime/service/method_signature.ts";
import {
  CLASS_TO_SERVICE,
  type Contract,
  METADATA,
  type Service,
  service,
} from "../runtime/service/service.ts";
import type { Dispatcher } from "./events/dispatcher.ts";
import type { RpcSpec } from "./rpc/rpc.ts";

type AnyMethod = (...args: never[]) => unknown;

type Values = Readonly<Record<string, unknown>>;

/** A class, with the static members that say something about its service. */
interface ServiceClass {
  new (): Readonly<Record<string, AnyMethod>>;
  readonly around?: readonly AnyHook[];
  readonly outgoing?: readonly OutgoingHook[];
  readonly module?: string;
}

/** What the decorators of one class say, without those of its base classes. */
interface Declared {
  readonly entrypoints: Map<string, readonly AnyEntrypoint[]>;
  readonly dependencies: Map<string, DependencySpec<unknown>>;
}

const DECLARED = Symbol("declared");

type Metadata = Record<symbol, unknown> & { [DECLARED]?: Declared };

/** Adds an entrypoint to the method that a decorator stands before. */
export function declareEntrypoint(context: ClassMethodDecoratorContext, entrypoint: AnyEntrypoint): void {
  const { entrypoints } = declaredBy(context, "method");
  const name = context.name as string;
  // Decorators run from the bottom to the top; the table has them as the author reads them.
  entrypoints.set(name, [entrypoint, ...entrypoints.get(name) ?? []]);
}

/** Adds a dependency to the field that a decorator stands before. */
export function declareDependency(
  context: ClassFieldDecoratorContext,
  dependency: DependencySpec<unknown>,
): void {
  declaredBy(context, "field").dependencies.set(context.name as string, dependency);
}

/** Checks that a decorator stands before a field that can take a value of the context. */
export function requireField(context: ClassFieldDecoratorContext): void {
  declaredBy(context, "field");
}

/** The instance in construction for a call, and that call's context. */
let construction: { readonly prototype: unknown; readonly context: Values } | undefined;

/** Returns what the context of the call has for a field; `initial` if no call has made the instance. */
export function fieldValue(instance: unknown, key: string, initial: unknown): unknown {
  if (construction === undefined || Object.getPrototypeOf(instance) !== construction.prototype) {
    return initial;
  }
  return construction.context[key];
}

function construct(Class: ServiceClass, context: Values): Readonly<Record<string, AnyMethod>> {
  const outer = construction;
  construction = { prototype: Class.prototype, context };
  try {
    return new Class();
  } finally {
    construction = outer;
  }
}

function declaredBy(
  context: ClassMethodDecoratorContext | ClassFieldDecoratorContext,
  kind: string,
): Declared {
  if (typeof context !== "object" || context === null || context.metadata === undefined) {
    throw new TypeError(
      "Cannot use a decorator: it is called in another way than the standard says. Take " +
        '"experimentalDecorators" out of the compiler options',
    );
  }
  if (context.kind !== kind || context.static || context.private) {
    throw new TypeError(
      `Cannot use a decorator for ${kind}s on "${String(context.name)}": it is a ` +
        `${context.private ? "private " : ""}${context.static ? "static " : ""}${context.kind}`,
    );
  }
  if (typeof context.name !== "string") {
    throw new TypeError(`Cannot use a decorator on ${String(context.name)}: its name must be a text`);
  }
  const metadata = context.metadata as Metadata;
  metadata[CLASS_TO_SERVICE] ??= toService;
  // The metadata of a class inherits from the metadata of its base class.
  return Object.hasOwn(metadata, DECLARED)
    ? metadata[DECLARED]!
    : metadata[DECLARED] = { entrypoints: new Map(), dependencies: new Map() };
}

const made = new WeakMap<ServiceClass, Service>();

function toService(Class: ServiceClass): Service {
  let result = made.get(Class);
  if (result === undefined) made.set(Class, result = makeService(Class));
  return result;
}

/** The decorators have let the compiler check what `service` would let it check. */
const define = service as unknown as (name: string, definition: Values) => Service;

function makeService(Class: ServiceClass): Service {
  const name = nameOf(Class);
  if (Class.length > 0) {
    throw new TypeError(
      `Cannot define service "${name}": the constructor of its class has parameters, which nobody gives`,
    );
  }
  const entrypoints = new Map<string, readonly AnyEntrypoint[]>();
  const dependencies = new Map<string, DependencySpec<unknown>>();
  for (const each of lineOf(Class)) {
    // A method without decorators takes the entrypoints off the method that it overrides.
    for (const method of Object.getOwnPropertyNames(each.prototype)) entrypoints.delete(method);
    const declared = ownMetadata(each)?.[DECLARED];
    declared?.entrypoints.forEach((list, method) => entrypoints.set(method, list));
    declared?.dependencies.forEach((dependency, field) => dependencies.set(field, dependency));
  }
  const { around = [], outgoing = [], module } = Class;
  return define(name, {
    entrypoints: Object.fromEntries(entrypoints),
    dependencies: Object.fromEntries(dependencies),
    handlers: Object.fromEntries([...entrypoints.keys()].map((method) => [method, handlerOf(Class, method)])),
    around,
    outgoing,
    module,
  });
}

/** Makes the handler that calls a method on a new instance. */
function handlerOf(Class: ServiceClass, method: string): AnyMethod {
  const behind: AnyMethod & { readonly [Symbol.toStringTag]?: string } = Class.prototype[method];
  const handler = (context: Values, ...args: never[]) => construct(Class, context)[method]!(...args);
  return Object.defineProperties(handler, {
    name: { value: method },
    [METHOD_BEHIND]: { value: behind },
    // Only some entrypoints take the items of a generator.
    [Symbol.toStringTag]: { value: behind[Symbol.toStringTag] },
  });
}

/** Returns a class behind its base classes, the first one in front. */
function lineOf(Class: ServiceClass): readonly ServiceClass[] {
  const line: ServiceClass[] = [];
  for (let each = Class; each !== Function.prototype; each = Object.getPrototypeOf(each)) line.unshift(each);
  return line;
}

/** Returns the static field `name`, also of a base class. The name that each class has by itself does not count. */
function nameOf(Class: ServiceClass): string {
  for (const each of lineOf(Class).toReversed()) {
    const name = Object.getOwnPropertyDescriptor(each, "name");
    if (name?.get !== undefined || name?.enumerable) return Reflect.get(each, "name");
  }
  throw new TypeError(
    `Cannot define a service by class "${Class.name}": it has no name. Write static readonly name = "…" into it`,
  );
}

function ownMetadata(Class: ServiceClass): Metadata | undefined {
  return Object.hasOwn(Class, METADATA)
    ? (Class as unknown as Record<symbol, Metadata | undefined>)[METADATA]
    : undefined;
}

/**
 * The service that a class is, for typed clients and events: `client<ServiceOf<typeof Orders>>("orders")`,
 * `event<ServiceOf<typeof Orders>, "placed">("orders", "placed")`. Public fields with a `Dispatcher` say its events.
 *
 * A decorator changes no type, so the client shows all public methods, those without `@rpc` too, but no dispatchers.
 *
 * @typeParam Methods Names of the methods that the client shows.
 */
export type ServiceOf<
  Class extends abstract new () => object,
  Methods extends MethodNames<InstanceType<Class>> = MethodNames<InstanceType<Class>>,
> = Contract<
  Class extends { readonly name: infer Name extends string } ? Name : string,
  { readonly [Method in Methods]: RpcSpec<readonly never[], unknown, MethodIn<InstanceType<Class>, Method>> },
  { readonly [Field in keyof InstanceType<Class>]: DependencySpec<InstanceType<Class>[Field]> }
>;

/** @internal */
type MethodNames<Instance> = {
  [Key in keyof Instance]: Instance[Key] extends Unstated
    ? IsDispatcher<Instance[Key]> extends true ? never : Key
    : never;
}[keyof Instance];

/**
 * Whether a type is that of a dispatcher itself. A method may have the same parameters, and is none.
 *
 * @internal
 */
type IsDispatcher<Value> = Value extends Dispatcher<infer Events>
  ? (<Each>() => Each extends Value ? 1 : 2) extends (<Each>() => Each extends Dispatcher<Events> ? 1 : 2)
    ? true
  : false
  : false;

/** @internal */
type MethodIn<Instance, Key extends keyof Instance> = Instance[Key] extends Unstated ? Instance[Key] : never;
