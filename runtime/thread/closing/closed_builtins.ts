/**
 * This folder closes to a restricted service what Deno gives to every thread.
 *
 * This file stands between a restricted service and the modules that it imports by a name made at run time.
 *
 * Deno asks for no permission to download and run an `npm:` or `jsr:` package, nor to write it into its
 * lock file. Here, a service gets only the packages that its module names in its code, and Deno hears of no
 * others. And what is closed in the default object of a built-in module,
 * such as `process.kill`, is closed in its named imports, which Deno binds for good, by a module that stands
 * in its place.
 */
import nodeModule from "node:module";
import { dataModuleCode, packagesIn } from "./data_modules.ts";
import { apply, schemeOf, startsWith } from "./untouched.ts";

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

const STANDALONE = Deno.build.standalone;

const OWN_MODULES = ["mod.ts", "runtime/", "extensions/"].map((path) =>
  import.meta.resolve(`../../../${path}`)
);

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
  const allowed: Record<string, true> = Object.create(null);
  for (const name of packages) allowed[name] = true;
  const replacements = replacementsOf({ ...closed, "node:module": ["registerHooks"] });
  const checkPackage = (name: string) => {
    if (allowed[name]) return;
    throw new Deno.errors.NotCapable(
      `Cannot import ${name}: the code of the service does not name this package. Name it in an ` +
        "import with a literal name",
    );
  };
  const check = (specifier: string) => {
    const scheme = STANDALONE ? undefined : schemeOf(specifier);
    if (scheme === "npm:" || scheme === "jsr:") checkPackage(specifier);
    if (scheme !== "data:" && scheme !== "blob:") return;
    const named = packagesIn(dataModuleCode(new URL(specifier)));
    for (let index = 0; index < named.length; index++) checkPackage(named[index]!);
  };
  const resolve: Resolve = (specifier, context, next) => {
    const parent = context.parentURL ?? "";
    const isOwn = isOwnModule(parent);
    if (!isOwn) check(specifier);
    const resolved = next(specifier, context);
    if (!isOwn) check(resolved.url);
    return replaced(resolved, context, replacements);
  };
  let own = apply(registerHooks, module, [{ resolve }]) as Hooks;
  // The hooks that are registered last run first, and these must see what the service's hooks answer.
  module.registerHooks = (hooks) => {
    const theirs = apply(registerHooks, module, [hooks]) as Hooks;
    own.deregister();
    own = apply(registerHooks, module, [{ resolve }]) as Hooks;
    return theirs;
  };
}

/**
 * Gives to the imports of this thread, too, what has been replaced in the default objects of built-in modules. Earlier
 * versions of Deno have no hooks for that.
 *
 * @param names The names that have been replaced.
 */
export function replaceImports(names: ClosedNames): void {
  const replacements = replacementsOf(names);
  (nodeModule as unknown as HookedModule).registerHooks?.({
    resolve: (specifier, context, next) => replaced(next(specifier, context), context, replacements),
  });
}

function replacementsOf(names: ClosedNames): Readonly<Record<string, string>> {
  const replacements: Record<string, string> = Object.create(null);
  for (const [name, each] of Object.entries(names)) replacements[name] = replacementOf(name, each);
  return replacements;
}

/** `require()` gives the default object, in which the names are replaced already. */
function replaced(
  resolved: Resolved,
  context: Resolving,
  replacements: Readonly<Record<string, string>>,
): Resolved {
  const replacement = replacements[resolved.url];
  const isReplaced = replacement !== undefined && context.parentURL !== replacement && !isRequired(context);
  return isReplaced ? { url: replacement, shortCircuit: true } : resolved;
}

/** A binary holds its packages and downloads none. */
export function isPackage(specifier: string): boolean {
  if (STANDALONE) return false;
  const scheme = schemeOf(specifier);
  return scheme === "npm:" || scheme === "jsr:";
}

/** Says whether a module is Enoki's. Its packages have names that the service does not choose. */
function isOwnModule(url: string): boolean {
  for (let index = 0; index < OWN_MODULES.length; index++) {
    if (startsWith(url, OWN_MODULES[index]!)) return true;
  }
  return false;
}

function isRequired({ conditions = [] }: Resolving): boolean {
  for (let index = 0; index < conditions.length; index++) {
    if (conditions[index] === "require") return true;
  }
  return false;
}

/** Gives the URL of a module that exports what a built-in one does, with the closed names as they are now. */
function replacementOf(name: string, names: readonly string[]): string {
  const from = JSON.stringify(name);
  const code = `import builtin from ${from};export * from ${from};export default builtin;` +
    `export const {${names.join()}}=builtin;`;
  return `data:text/javascript,${encodeURIComponent(code)}`;
}
