/**
 * Stands between a restricted service and the modules that it imports by a name made at run time.
 *
 * Deno asks for no permission to download and run an `npm:` or `jsr:` package. Here, a service gets only the
 * packages that its module names in its code. And what is closed in the default object of a built-in module,
 * such as `process.kill`, is closed in its named imports, which Deno binds for good, by a module that stands
 * in its place.
 */
import nodeModule from "node:module";

/** What a module is resolved with, as far as we use it. */
interface Resolving {
  readonly parentURL?: string;
  readonly conditions?: readonly string[];
}

interface Resolved {
  readonly url: string;
  readonly shortCircuit?: boolean;
}

type Resolve = (
  specifier: string,
  context: Resolving,
  next: (specifier: string, context?: Resolving) => Resolved,
) => Resolved;

interface Hooks {
  deregister(): void;
}

/** Node's hooks, which earlier versions of Deno do not have. */
interface HookedModule {
  registerHooks?(hooks: { readonly resolve?: Resolve }): Hooks;
}

/** Names of built-in modules, each with the names of what is closed in its default object. */
export type ClosedNames = Readonly<Record<string, readonly string[]>>;

const OWN_MODULES = ["mod.ts", "runtime/", "extensions/"].map((path) => import.meta.resolve(`../../${path}`));

/**
 * Closes the imports of this thread.
 *
 * @param packages The packages that the service may import, as its code names them.
 * @param closed What is closed already in the default objects of built-in modules.
 */
export function closeImports(packages: readonly string[], closed: ClosedNames): void {
  const module: HookedModule = nodeModule as unknown as HookedModule;
  const { registerHooks } = module;
  if (registerHooks === undefined) return;
  const allowed = new Set(packages);
  const replacements = new Map(
    Object.entries({ ...closed, "node:module": ["registerHooks"] })
      .map(([name, names]) => [name, replacementOf(name, names)]),
  );
  const check = (specifier: string) => {
    if (!isPackage(specifier) || allowed.has(specifier)) return;
    throw new Deno.errors.NotCapable(
      `Cannot import ${specifier}: the code of the service does not name this package. Name it in an ` +
        "import with a literal name",
    );
  };
  const resolve: Resolve = (specifier, context, next) => {
    const parent = context.parentURL ?? "";
    if (OWN_MODULES.some((url) => parent.startsWith(url))) return next(specifier, context);
    check(specifier);
    const resolved = next(specifier, context);
    check(resolved.url);
    const replacement = replacements.get(resolved.url);
    const isReplaced = replacement !== undefined && parent !== replacement &&
      !context.conditions?.includes("require");
    return isReplaced ? { url: replacement, shortCircuit: true } : resolved;
  };
  let own = registerHooks.call(module, { resolve });
  // The hooks that are registered last run first, and these must see what the service's hooks answer.
  module.registerHooks = (hooks) => {
    const theirs = registerHooks.call(module, hooks);
    own.deregister();
    own = registerHooks.call(module, { resolve });
    return theirs;
  };
}

/** A binary holds its packages and downloads none. */
function isPackage(specifier: string): boolean {
  return !Deno.build.standalone && /^(?:npm|jsr):/i.test(specifier);
}

/** Gives the URL of a module that exports what a built-in one does, with the closed names as they are now. */
function replacementOf(name: string, names: readonly string[]): string {
  const from = JSON.stringify(name);
  const code = `import builtin from ${from};export * from ${from};export default builtin;` +
    `export const {${names.join()}}=builtin;`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
