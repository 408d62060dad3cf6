import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { ServiceLoadError } from "../message/errors.ts";

/** A module, and one of its services or all of them. */
export interface ModuleSpecifier {
  readonly url: string;
  /** Name of the service, or of its export; undefined for all of them. */
  readonly service: string | undefined;
}

/**
 * Reads the text with which a user names a service module: a path or a URL. A `:service` behind it names one
 * of several services.
 *
 * @param specifier Such as `./orders.ts`, `https://host/orders.ts`, `./shop.ts:orders`.
 * @throws {ServiceLoadError} If the specifier begins like a URL and is not a URL.
 * @throws {TypeError} If the specifier is neither a text nor a URL.
 */
export function parseModuleSpecifier(specifier: string | URL, cwd: string = Deno.cwd()): ModuleSpecifier {
  if (typeof specifier !== "string" && !(specifier instanceof URL)) {
    throw new TypeError(
      `Cannot load a module: got ${
        specifier === null ? "null" : `a value of type ${typeof specifier}`
      }, expected a path or a URL`,
    );
  }
  if (specifier instanceof URL) return { url: specifier.href, service: undefined };
  const colon = specifier.lastIndexOf(":");
  const module = specifier.slice(0, Math.max(colon, 0));
  const service = specifier.slice(colon + 1);
  return namesModule(module, specifier) && SERVICE_REGEXP.test(service)
    ? { url: moduleUrl(module, cwd), service }
    : { url: moduleUrl(specifier, cwd), service: undefined };
}

/** Says whether the text before the last colon looks like a module: it has a dot or a slash, and a path. */
function namesModule(text: string, specifier: string): boolean {
  return MODULE_REGEXP.test(text) && !text.startsWith("data:") && !ORIGIN_REGEXP.test(specifier);
}

/** Tells whether two specifiers name the same module and the same service of it. */
export function sameModule(a: ModuleSpecifier, b: ModuleSpecifier): boolean {
  return a.url === b.url && a.service === b.service;
}

/**
 * Returns the URL of a module that a user names by a path or a URL.
 *
 * @throws {ServiceLoadError} If the text begins like a URL and is not a URL.
 */
export function moduleUrl(module: string, cwd: string = Deno.cwd()): string {
  if (UNKNOWN_SCHEME_REGEXP.test(module)) {
    throw new ServiceLoadError(
      `Cannot load module ${module}: there is no way to fetch it. Name a path, or a URL with https:, http:, file: or data:`,
    );
  }
  if (!URL_REGEXP.test(module)) return pathToFileURL(resolve(cwd, module)).href;
  if (URL.canParse(module)) return new URL(module).href;
  throw new ServiceLoadError(`Cannot load module ${module}: it is not a URL`);
}

/** Matches one line that has a dot or a slash. */
const MODULE_REGEXP = /^[^./\n]*[./].*$/;

const SERVICE_REGEXP = /^[\p{ID_Continue}$-]+$/u;

/** Matches a URL without a path. */
const ORIGIN_REGEXP = /^https?:\/\/[^/]*$/;

const UNKNOWN_SCHEME_REGEXP = /^(?!https?:|file:)[a-z][a-z\d+.-]*:\/\//;

const URL_REGEXP = /^(?:https?|file|data|npm|jsr|blob):/;
