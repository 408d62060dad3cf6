/**
 * This file gives the errors of other services back as the classes that a caller has named, as Nameko's `@register`
 * does for exceptions.
 *
 * Only the name of the class is on the wire, with the message, `code`, `data`, `status` and `retryable`. So an error is
 * made without the constructor of its class, which may take anything, and whose text could not be told from the
 * message. What only the constructor sets is absent: private fields, and public ones other than those.
 */
import { RemoteError } from "../../runtime/message/errors.ts";

/** A class of errors, with any constructor. */
export type ErrorClass = abstract new (...args: never[]) => Error;

/** Classes of errors by their names on the wire. */
export type RegisteredErrors = ReadonlyMap<string, ErrorClass>;

const known = new WeakMap<readonly ErrorClass[], RegisteredErrors>();

/**
 * Finds the names of classes. A class has the `name` that its prototype defines, else its own name.
 *
 * @throws {TypeError} If one of them is no class of errors, or if two of them have one name.
 */
export function registeredErrors(classes: readonly ErrorClass[]): RegisteredErrors {
  const found = known.get(classes);
  if (found !== undefined) return found;
  if (!Array.isArray(classes)) {
    throw new TypeError("Cannot register errors: they are no array. Give a list of classes");
  }
  const errors = new Map<string, ErrorClass>();
  for (const each of classes) {
    const name = nameOf(each);
    if (errors.has(name)) {
      throw new TypeError(
        `Cannot register errors: two of the classes are called "${name}", and nothing else is on the wire. ` +
          "Leave one of them out",
      );
    }
    errors.set(name, each);
  }
  known.set(classes, errors);
  return errors;
}

function nameOf(each: ErrorClass): string {
  const prototype: unknown = typeof each === "function" ? each.prototype : undefined;
  if (!(prototype instanceof Error)) {
    throw new TypeError(
      `Cannot register ${Deno.inspect(each)} as an error: it is no class that extends Error`,
    );
  }
  return Object.hasOwn(prototype, "name") && prototype.name !== "" ? prototype.name : each.name;
}

/** Codes of errors whose author has set none. */
const NO_CODES: readonly string[] = ["ERROR", "REMOTE_ERROR"];

/** Gives an error as its class, if the class is registered; else the error itself. The class has it as its cause. */
export function asRegistered(error: unknown, errors: RegisteredErrors): unknown {
  if (!(error instanceof RemoteError)) return error;
  const { remoteName, remoteMessage, code, data, status, retryable } = error;
  const own = errors.get(remoteName);
  if (own === undefined) return error;
  const made: Error = Reflect.construct(Error, [remoteMessage, { cause: error }], own);
  const fields = {
    ...(!NO_CODES.includes(code) && { code }),
    ...(data !== undefined && { data }),
    ...(status !== undefined && { status }),
    ...(retryable && { retryable }),
  };
  // A class may have an accessor of that name, to which an assignment would fail.
  for (const [key, value] of Object.entries(fields)) {
    Object.defineProperty(made, key, { value, enumerable: true, configurable: true, writable: true });
  }
  return made;
}
