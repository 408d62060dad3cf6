/**
 * Gives a service environment variables of its own, beside those of the process that it may read.
 *
 * Most packages read `process.env` wherever they run, and take what is not there for not set. Deno throws
 * where a variable is not permitted. So in the `process.env` of a restricted service, such a variable is not
 * there. `Deno.env` keeps throwing, because its users know permissions. What the service writes to either of
 * them stays in its thread.
 *
 * Nothing here holds a value of the process: each read asks Deno, which checks the permission.
 */
import process from "node:process";

/** The variables of a service. */
export interface OwnEnvironment {
  /** Variables that the operator gives to this service. They win over those of the process. */
  readonly values: Readonly<Record<string, string>>;
  /** Names of single variables of the process that the service may read, whether they are set or not. */
  readonly permitted: readonly string[];
  /** Called once for each name that `process.env` does not give because it is not permitted. */
  onDenied(name: string): void;
}

/** A variable that the service has deleted is here, too: as undefined. */
type OwnValues = Map<string, string | undefined>;

/** Number of denied names that are remembered. */
const MOST_DENIED = 1_000;

/**
 * Puts the variables of a service on top of those of the process, for a service that may read them all.
 *
 * Deno's `process.env` reads and writes by the functions of `Deno.env`, so it has them, too.
 */
export function addEnvironment({ values }: Pick<OwnEnvironment, "values">): void {
  const own: OwnValues = new Map(Object.entries(values));
  if (own.size > 0) replaceFunctions(own, (name) => own.has(name));
}

/** Gives a restricted service `process.env` and `Deno.env` of its own. */
export function closeEnvironment(environment: OwnEnvironment): void {
  const own: OwnValues = new Map(Object.entries(environment.values));
  const outer = { ...Deno.env };
  process.env = processEnvironment(own, outer, environment);
  replaceFunctions(own, (name) => {
    // This throws if the variable is not permitted.
    if (!own.has(name)) outer.get(name);
    return true;
  });
}

/** @param staysHere Says whether a written variable stays in this thread. */
function replaceFunctions(own: OwnValues, staysHere: (name: string) => boolean): void {
  const { get, has, set, delete: remove, toObject } = Deno.env;
  Object.assign(Deno.env, {
    get: (name: string) => own.has(name) ? own.get(name) : get(name),
    has: (name: string) => own.has(name) ? own.get(name) !== undefined : has(name),
    set(name: string, value: string) {
      if (staysHere(name)) own.set(name, `${value}`);
      else set(name, value);
    },
    delete(name: string) {
      if (staysHere(name)) own.set(name, undefined);
      else remove(name);
    },
    toObject() {
      const variables = toObject();
      for (const [name, value] of own) {
        if (value === undefined) delete variables[name];
        else variables[name] = value;
      }
      return variables;
    },
  });
}

function processEnvironment(
  own: OwnValues,
  outer: Pick<Deno.Env, "get" | "toObject">,
  { permitted, onDenied }: OwnEnvironment,
): NodeJS.ProcessEnv {
  const denied = new Set<string>();
  const valueOf = (name: string) => {
    if (own.has(name)) return own.get(name);
    if (denied.has(name)) return undefined;
    try {
      return outer.get(name);
    } catch (error) {
      if (error instanceof Deno.errors.NotCapable && denied.size < MOST_DENIED) {
        denied.add(name);
        if (!(name in Object.prototype)) onDenied(name);
      }
      return undefined;
    }
  };
  const outerNames = () => {
    try {
      return Object.keys(outer.toObject());
    } catch {
      return permitted;
    }
  };
  const write = (name: string | symbol, value: unknown) => {
    // As in Node, this throws for a symbol.
    own.set(`${name as string}`, `${value}`);
    return true;
  };
  return new Proxy<NodeJS.ProcessEnv>({}, {
    get: (target, name) =>
      (typeof name === "string" ? valueOf(name) : undefined) ?? Reflect.get(target, name),
    has: (target, name) =>
      typeof name === "string" ? valueOf(name) !== undefined || name in target : Reflect.has(target, name),
    set: (_target, name, value) => write(name, value),
    deleteProperty(_target, name) {
      if (typeof name === "string") own.set(name, undefined);
      return true;
    },
    defineProperty: (_target, name, descriptor) => "value" in descriptor && write(name, descriptor.value),
    ownKeys: () =>
      [...new Set([...outerNames(), ...own.keys()])].filter((name) => valueOf(name) !== undefined),
    getOwnPropertyDescriptor(_target, name) {
      const value = typeof name === "string" ? valueOf(name) : undefined;
      return value === undefined
        ? undefined
        : { value, configurable: true, enumerable: true, writable: true };
    },
    preventExtensions: () => false,
  });
}
