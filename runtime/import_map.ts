import { parse, type ParsedImportMap, resolve } from "npm:@import-maps/resolve@2.0.0";
import { parse as parseJsonc, type ParseError, printParseErrorCode } from "npm:jsonc-parser@^3.3.1";
import { ServiceLoadError } from "./errors.ts";

/** How JSX is compiled, in TypeScript's terms. */
export interface JsxOptions {
  readonly jsx?: string;
  readonly jsxImportSource?: string;
  readonly jsxFactory?: string;
  readonly jsxFragmentFactory?: string;
}

interface ConfigurationFile {
  readonly imports?: Readonly<Record<string, string>>;
  readonly scopes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Path of a file that has the imports. */
  readonly importMap?: string;
  readonly compilerOptions?: JsxOptions;
}

/** What a `deno.json`, or an import map, says of imports. */
export class ImportMap {
  readonly #map: ParsedImportMap;
  readonly jsx: JsxOptions;
  /** URL of the file that has the imports, where this one only names it. */
  readonly elsewhere: string | undefined;

  /**
   * @param url Where the file is; its relative addresses start there.
   * @throws {ServiceLoadError} If it is no JSON.
   */
  constructor(text: string, url: string) {
    const file = readFile(text, url);
    this.#map = parse({ imports: withSubpaths(file.imports), scopes: file.scopes ?? {} }, new URL(url));
    const { jsx, jsxImportSource, jsxFactory, jsxFragmentFactory } = file.compilerOptions ?? {};
    this.jsx = {
      ...(jsx !== undefined && { jsx }),
      ...(jsxImportSource !== undefined && { jsxImportSource }),
      ...(jsxFactory !== undefined && { jsxFactory }),
      ...(jsxFragmentFactory !== undefined && { jsxFragmentFactory }),
    };
    this.elsewhere = file.importMap === undefined ? undefined : new URL(file.importMap, url).href;
  }

  /** URLs by the names that stand for them everywhere. */
  get imports(): Readonly<Record<string, string>> {
    return urls(this.#map.imports);
  }

  /** URLs by name, by the URL prefix of the modules where they stand for them. */
  get scopes(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return Object.fromEntries(
      Object.entries(this.#map.scopes ?? {}).map(([scope, imports]) => [scope, urls(imports)]),
    );
  }

  /** The URL that a specifier stands for; undefined if it is a bare name that the map does not have. */
  resolve(specifier: string, importer: string): string | undefined {
    try {
      return resolve(specifier, this.#map, new URL(importer)).resolvedImport?.href;
    } catch {
      // A name that the map says has no address.
      return undefined;
    }
  }
}

function urls(imports: ParsedImportMap["imports"] = {}): Record<string, string> {
  return Object.fromEntries(
    Object.entries(imports).flatMap(([name, url]) => url === null ? [] : [[name, url.href]]),
  );
}

function readFile(text: string, url: string): ConfigurationFile {
  const errors: ParseError[] = [];
  const value = parseJsonc(text, errors, { allowTrailingComma: true });
  const [error] = errors;
  if (error !== undefined) {
    const line = text.slice(0, error.offset).split("\n").length;
    throw new ServiceLoadError(`Cannot use import map ${url}:${line}: ${printParseErrorCode(error.error)}`);
  }
  if (typeof value !== "object" || value === null || Array.isArray(value)) {
    throw new ServiceLoadError(`Cannot use import map ${url}: it is no JSON object`);
  }
  return value;
}

/** As Deno does: where `zod` is `npm:zod@4`, `zod/mini` is there too. */
function withSubpaths(imports: Readonly<Record<string, string>> = {}): Record<string, string> {
  const subpaths = Object.entries(imports).flatMap(([name, address]) => {
    const scheme = /^(?:npm|jsr):/.exec(address)?.[0];
    if (scheme === undefined || name.endsWith("/") || `${name}/` in imports) return [];
    return [[`${name}/`, `${scheme}/${address.slice(scheme.length).replace(/^\//, "")}/`] as const];
  });
  return { ...imports, ...Object.fromEntries(subpaths) };
}
