import { parse, type ParsedImportMap, resolve } from "npm:@import-maps/resolve@2.0.0";
import { parse as parseJsonc, type ParseError, printParseErrorCode } from "npm:jsonc-parser@3.3.1";
import { ServiceLoadError } from "../../message/errors.ts";

/** How JSX is compiled, under the names of TypeScript's compiler options. */
export interface JsxOptions {
  readonly jsx?: string;
  readonly jsxImportSource?: string;
  readonly jsxFactory?: string;
  readonly jsxFragmentFactory?: string;
}

/** Content of a `deno.json` or an import map, as far as it concerns imports. Each part has been checked. */
interface ConfigurationFile {
  readonly imports?: Readonly<Record<string, string>>;
  readonly scopes?: Readonly<Record<string, Readonly<Record<string, string>>>>;
  /** Path of another file that has the imports. */
  readonly importMap?: string;
  readonly compilerOptions?: JsxOptions;
}

/** The rules for imports in a `deno.json` or an import map. */
export class ImportMap {
  readonly #map: ParsedImportMap;
  readonly jsx: JsxOptions;
  /** URL of another file that has the imports; undefined if this file has them itself. */
  readonly elsewhere: string | undefined;

  /**
   * @param url URL of the file. Its relative addresses start there.
   * @param main The file that names this file for its imports. All other options come from `main`.
   * @throws {ServiceLoadError} If the text is not JSON, or its shape is not that of such a file.
   */
  constructor(text: string, url: string, main?: ImportMap) {
    const file = readFile(text, url);
    this.#map = parse({ imports: withSubpaths(file.imports), scopes: file.scopes ?? {} }, new URL(url));
    this.jsx = main?.jsx ?? jsxOptions(file.compilerOptions);
    this.elsewhere = file.importMap === undefined ? undefined : new URL(file.importMap, url).href;
  }

  /**
   * Reads a local file, and the imports of another local file if the first file names one.
   *
   * @throws {ServiceLoadError} If one of the files cannot be read or used.
   */
  static async read(url: string): Promise<ImportMap> {
    const map = new ImportMap(await readText(url), url);
    const { elsewhere } = map;
    return elsewhere?.startsWith("file:") ? new ImportMap(await readText(elsewhere), elsewhere, map) : map;
  }

  /** URLs by the names that stand for them in every module. */
  get imports(): Readonly<Record<string, string>> {
    return urls(this.#map.imports);
  }

  /** URLs by the names that stand for them in some modules, grouped by the URL prefix of these modules. */
  get scopes(): Readonly<Record<string, Readonly<Record<string, string>>>> {
    return Object.fromEntries(
      Object.entries(this.#map.scopes ?? {}).map(([scope, imports]) => [scope, urls(imports)]),
    );
  }

  /** Returns the URL that a specifier stands for; undefined for a bare name that the map does not have. */
  resolve(specifier: string, importer: string): string | undefined {
    try {
      return resolve(specifier, this.#map, new URL(importer)).resolvedImport?.href;
    } catch {
      // The map says that this name has no address.
      return undefined;
    }
  }
}

async function readText(url: string): Promise<string> {
  try {
    return await Deno.readTextFile(new URL(url));
  } catch (error) {
    const state = error instanceof Deno.errors.NotFound ? "no such file" : (error as Error).message;
    throw new ServiceLoadError(`Cannot use import map ${url}: ${state}`);
  }
}

function jsxOptions(options: JsxOptions = {}): JsxOptions {
  return Object.fromEntries(
    JSX_OPTIONS.flatMap((name) => options[name] === undefined ? [] : [[name, options[name]]]),
  );
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
  const complaint = complaintAbout(value, url);
  if (complaint !== undefined) throw new ServiceLoadError(`Cannot use import map ${url}: ${complaint}`);
  return value;
}

/** Describes what is wrong with the shape of a file; undefined if nothing is wrong. */
function complaintAbout(value: unknown, url: string): string | undefined {
  if (!isObject(value)) return "it is not a JSON object";
  const { imports = {}, scopes = {}, importMap, compilerOptions = {} } = value;
  if (!isTexts(imports)) return '"imports" must be an object with texts';
  if (!isObject(scopes) || !Object.values(scopes).every(isTexts)) {
    return '"scopes" must be an object whose values are objects with texts';
  }
  if (importMap !== undefined && !(typeof importMap === "string" && URL.canParse(importMap, url))) {
    return '"importMap" must be a path or a URL';
  }
  if (!isObject(compilerOptions)) return '"compilerOptions" must be an object';
  const wrong = JSX_OPTIONS.find((name) => !["string", "undefined"].includes(typeof compilerOptions[name]));
  return wrong === undefined ? undefined : `"compilerOptions.${wrong}" must be a text`;
}

const JSX_OPTIONS = ["jsx", "jsxImportSource", "jsxFactory", "jsxFragmentFactory"] as const;

function isObject(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}

function isTexts(value: unknown): boolean {
  // A name with null has no address.
  return isObject(value) && Object.values(value).every((each) => typeof each === "string" || each === null);
}

/** Adds the subpaths of packages, as Deno does: if `zod` is `npm:zod@4`, then `zod/mini` resolves, too. */
function withSubpaths(imports: Readonly<Record<string, string>> = {}): Record<string, string> {
  const subpaths = Object.entries(imports).flatMap(([name, address]) => {
    const scheme = /^(?:npm|jsr):/.exec(address)?.[0];
    if (scheme === undefined || name.endsWith("/") || `${name}/` in imports) return [];
    return [[`${name}/`, `${scheme}/${address.slice(scheme.length).replace(/^\//, "")}/`] as const];
  });
  return { ...imports, ...Object.fromEntries(subpaths) };
}
