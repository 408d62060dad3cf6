import { pathToFileURL } from "node:url";
import { resolve } from "node:path";
import { ServiceLoadError } from "../message/errors.ts";

/** Which module, and which of its services. */
export interface ModuleSpecifier {
  readonly url: string;
  /** Name of the service, or of its export; undefined for all of them. */
  readonly service: string | undefined;
}

/**
 * Reads what a user writes to name a service module: a path, or a URL, with `:service` behind it for one of
 * several services.
 *
 * @param specifier Such as `./orders.ts`, `https://host/orders.ts`, `./shop.ts:orders`.
 * @throws {ServiceLoadError} If it begins like a URL and is none.
 */
export function parseModuleSpecifier(specifier: string | URL, cwd: string = Deno.cwd()): ModuleSpecifier {
  if (specifier instanceof URL) return { url: specifier.href, service: undefined };
  const [, module = specifier, service] = SERVICE_SUFFIX_REGEXP.exec(specifier) ?? [];
  return { url: moduleUrl(module, cwd), service };
}

/** Whether two specifiers name the same, be it a module or one service of it. */
export function sameModule(a: ModuleSpecifier, b: ModuleSpecifier): boolean {
  return a.url === b.url && a.service === b.service;
}

/**
 * The URL of a module that a user names by a path or a URL.
 *
 * @throws {ServiceLoadError} If it begins like a URL and is none.
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

/** A word behind a last colon, where what is before it looks like a module: it has a dot or a slash. */
const SERVICE_SUFFIX_REGEXP = /^((?!data:|https?:\/\/[^/]*$).*[./].*):([\p{ID_Continue}$-]+)$/u;

const UNKNOWN_SCHEME_REGEXP = /^(?!https?:|file:)[a-z][a-z\d+.-]*:\/\//;

const URL_REGEXP = /^(?:https?|file|data|npm|jsr|blob):/;
