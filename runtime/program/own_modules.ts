/**
 * This folder knows which program this is: its package, its modules, its `deno.json`, its debugger.
 *
 * This file has the modules of the runtime itself.
 */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../message/errors.ts";
import { OPTIONAL_DOORS, OWN_PACKAGE } from "./own_package.ts";

/** URL of the folder that holds the runtime's own source. */
export const OWN_FOLDER: string = import.meta.resolve("../../");

const SOURCES = /^(?:mod\.ts$|runtime\/|extensions\/)/;

/** Matches the name of the runtime's package, with or without registry and version, and one door. */
const NAME = new RegExp(`^(?:(?:npm|jsr):/?)?${OWN_PACKAGE.name}(?:@[^/]+)?(?:/(.+))?$`);

/** Says whether a module is part of the runtime that runs now. */
export function isOwnModule(url: string): boolean {
  return url.startsWith(OWN_FOLDER) && SOURCES.test(url.slice(OWN_FOLDER.length));
}

/**
 * Returns the module behind a name of the runtime, such as `@enoki/enoki/testing` or `jsr:@enoki/enoki@1`.
 *
 * @returns Undefined if the specifier is not a name of the runtime.
 * @throws {ServiceLoadError} If the runtime has no such door.
 */
export function ownModule(specifier: string): string | undefined {
  const match = NAME.exec(specifier);
  if (match === null) return undefined;
  const door = match[1] === undefined ? "." : `./${match[1]}`;
  const doors = OWN_PACKAGE.exports;
  const path = Object.hasOwn(doors, door) ? doors[door] : undefined;
  if (path !== undefined) return new URL(path, OWN_FOLDER).href;
  throw new ServiceLoadError(
    `Cannot resolve "${specifier}": the package has no such export, only ${Object.keys(doors).join(", ")}`,
  );
}

/** Returns the URL that a module of the runtime has where the URL of the runtime's folder is `root`. */
export function ownModuleUnder(url: string, root: string): string {
  return root + url.slice(OWN_FOLDER.length);
}

/** Says whether a URL names a package of npm or JSR. */
export function isPackage(url: string): boolean {
  return /^(?:npm|jsr):/.test(url);
}

/**
 * Makes the error for a package that a binary does not hold: a finished binary takes no more packages.
 *
 * @param entry URL of the module of the service or the extension.
 */
export function packageRefusal(url: string, entry: string, isExtension: boolean): ServiceLoadError {
  return new ServiceLoadError(
    `Cannot import ${url}: this binary holds no packages except its own. ${
      ownBinaryAdvice(entry, isExtension)
    }, or import a URL`,
  );
}

/**
 * Checks that this binary holds the runtime's module at a URL. A binary may lack the optional doors.
 *
 * @param entry URL of the module of the service or the extension that imports the module.
 * @throws {ServiceLoadError} If it does not hold the module.
 */
export function requireHeld(url: string, entry: string, isExtension: boolean): void {
  if (existsSync(new URL(url))) return;
  const door = OPTIONAL_DOORS.find((door) => new URL(OWN_PACKAGE.exports[door]!, OWN_FOLDER).href === url);
  const part = door?.slice("./".length) ?? url;
  throw new ServiceLoadError(
    `Cannot import ${OWN_PACKAGE.name}/${part}: this binary does not hold that part, whose packages are large. ${
      ownBinaryAdvice(entry, isExtension)
    }, or a binary like this one with enoki compile --with ${part}`,
  );
}

function ownBinaryAdvice(entry: string, isExtension: boolean): string {
  return isExtension
    ? `Build a binary of the extension and its services with enoki compile --extension ${entry} <module>`
    : `Build a binary of the service with enoki compile ${entry}`;
}

/** Permissions that a thread needs to load a module. */
export interface LoadNeeds {
  /** Paths of the module's own files, and of the runtime's files. */
  readonly read: readonly string[];
  /** Hosts that serve its remote modules. */
  readonly import: readonly string[];
  /** Packages of npm and JSR that its code names, also those that it imports only while it runs. */
  readonly packages: readonly string[];
}

/** Returns the permissions that a restricted thread needs to load the runtime itself. */
export function ownNeeds(): LoadNeeds {
  // Deno asks for no permission to load modules inside a binary.
  if (Deno.build.standalone) return { read: [], import: [], packages: [] };
  if (!OWN_FOLDER.startsWith("file:")) return { read: [], import: [new URL(OWN_FOLDER).host], packages: [] };
  return {
    read: ["mod.ts", "runtime/", "extensions/"].map((path) => fileURLToPath(OWN_FOLDER + path)),
    import: [],
    packages: [],
  };
}
