import { fileURLToPath } from "node:url";
import { ServiceLoadError } from "../message/errors.ts";
import { OWN_PACKAGE } from "./own_package.ts";

/** URL of the folder with the runtime's own source. */
export const OWN_FOLDER: string = import.meta.resolve("../../");

const SOURCES = /^(?:mod\.ts$|runtime\/|extensions\/)/;

/** The runtime by its own name, from wherever a package may come, and one of its doors. */
const NAME = new RegExp(`^(?:(?:npm|jsr):/?)?${OWN_PACKAGE.name}(?:@[^/]+)?(?:/(.+))?$`);

/** Whether a module is part of the runtime that runs now. */
export function isOwnModule(url: string): boolean {
  return url.startsWith(OWN_FOLDER) && SOURCES.test(url.slice(OWN_FOLDER.length));
}

/**
 * The module behind a name of the runtime, such as `@enoki/enoki/testing` or `jsr:@enoki/enoki@1`; undefined if it
 * is not one of its names.
 *
 * @throws {ServiceLoadError} If it has no such door.
 */
export function ownModule(specifier: string): string | undefined {
  const match = NAME.exec(specifier);
  if (match === null) return undefined;
  const door = match[1] === undefined ? "." : `./${match[1]}`;
  const doors = OWN_PACKAGE.exports;
  const path = Object.hasOwn(doors, door) ? doors[door] : undefined;
  if (path !== undefined) return new URL(path, OWN_FOLDER).href;
  throw new ServiceLoadError(
    `Cannot resolve "${specifier}": there is no such door, only ${Object.keys(doors).join(", ")}`,
  );
}

/** The URL of one of the runtime's modules as it is where the runtime's folder has another URL. */
export function ownModuleUnder(url: string, root: string): string {
  return root + url.slice(OWN_FOLDER.length);
}

/** Whether a URL names a package of npm or JSR. */
export function isPackage(url: string): boolean {
  return /^(?:npm|jsr):/.test(url);
}

/** Packages cannot be added to a binary once it is built. */
export function packageRefusal(url: string, entry: string): ServiceLoadError {
  return new ServiceLoadError(
    `Cannot import ${url}: this binary holds no packages but its own. Build one that holds the service, with ` +
      `enoki compile ${entry}, or import a URL`,
  );
}

/** What a module needs to be loaded at all. */
export interface LoadNeeds {
  /** Paths of its own files, and of ours. */
  readonly read: readonly string[];
  /** Hosts that its remote modules come from. */
  readonly import: readonly string[];
}

/** What a restricted thread must be allowed to load the runtime itself. */
export function ownNeeds(): LoadNeeds {
  // Nobody asks for a permission where modules inside a binary are loaded.
  if (Deno.build.standalone) return { read: [], import: [] };
  if (!OWN_FOLDER.startsWith("file:")) return { read: [], import: [new URL(OWN_FOLDER).host] };
  return {
    read: ["mod.ts", "runtime/", "extensions/"].map((path) => fileURLToPath(OWN_FOLDER + path)),
    import: [],
  };
}
