/**
 * Finds the handlers of a service in the object that its author has given: one with functions, or an instance
 * of a class, whose methods stand in its prototypes.
 */
import type { AnyFunction } from "./declared/parameters.ts";

/**
 * Finds a member of the object itself or of one of its classes.
 *
 * What every object has, such as `toString`, is no handler, and neither is the constructor of a class.
 */
export function findHandler(handlers: object, method: string): unknown {
  for (
    let holder: object | null = handlers;
    holder !== null && holder !== Object.prototype;
    holder = Object.getPrototypeOf(holder)
  ) {
    if (!Object.hasOwn(holder, method)) continue;
    return method === "constructor" && isPrototype(holder) ? undefined : Reflect.get(handlers, method);
  }
  return undefined;
}

/** Finds the handlers of some methods. */
export function handlersOf<Handler extends AnyFunction>(
  handlers: object,
  methods: readonly string[],
): Readonly<Record<string, Handler>> {
  return Object.fromEntries(methods.map((method) => [method, findHandler(handlers, method) as Handler]));
}

/** Whether an object was written as a literal, so that it holds nothing but handlers. */
export function isLiteral(handlers: object): boolean {
  const prototype = Object.getPrototypeOf(handlers);
  return prototype === null || prototype === Object.prototype;
}

function isPrototype(holder: object): boolean {
  const { constructor } = holder as { readonly constructor: unknown };
  return typeof constructor === "function" && constructor.prototype === holder;
}
