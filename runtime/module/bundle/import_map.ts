import { parse, type ParsedImportMap, resolve } from "npm:@import-maps/resolve@2.0.0";
import { parse as parseJsonc, type ParseError, printParseErrorCode } from "npm:jsonc-parser@^3.3.1";
import { ServiceLoadError } from "../../message/errors.ts";

/** How JSX is compiled, in TypeScript's terms. */
export interface JsxOptions {
  readonly jsx?: string;
  readonly jsxImportSource?: string;
  readonly jsxFactory?: string;
  readonly jsxFragmentFactory?: string;
}

/** What a `deno.json` and an import map may have in common, each part of the shape that it must have. */
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
   * @param main The file that names this one for its imports, and says the rest itself.
   * @throws {ServiceLoadError} If it is no JSON, or not of the shape of such a file.
   */
  constructor(text: string, url: string, main?: ImportMap) {
    const file = readFile(text, url);
    this.#map = parse({ imports: withSubpaths(file.imports), scopes: file.scopes ?? {} }, new URL(url));
    this.jsx = main?.jsx ?? jsxOptions(file.compilerOptions);
    this.elsewhere = file.importMap === undefined ? undefined : new URL(file.importMap, url).href;
  }

  /**
   * Reads the one in a local file, with the imports of another local file that it names.
   *
   * @throws {ServiceLoadError} If one of them cannot be read or used.
   */
  static async read(url: string): Promise<ImportMap> {
    const map = new ImportMap(await readText(url), url);
    const { elsewhere } = map;
    return elsewhere?.startsWith("file:") ? new ImportMap(await readText(elsewhere), elsewhere, map) : map;
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

/** What is wrong with the shape of a file; undefined if it is right. */
function complaintAbout(value: unknown, url: string): string | undefined {
  if (!isObject(value)) return "it is no JSON object";
  const { imports = {}, scopes = {}, importMap, compilerOptions = {} } = value;
  if (!isTexts(imports)) return '"imports" must be an object with texts';
  if (!isObject(scopes) || !Object.values(scopes).every(isTexts)) {
    return '"scopes" must be an object with objects with texts';
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

/** As Deno does: where `zod` is `npm:zod@4`, `zod/mini` is there too. */
function withSubpaths(imports: Readonly<Record<string, string>> = {}): Record<string, string> {
  const subpaths = Object.entries(imports).flatMap(([name, address]) => {
    const scheme = /^(?:npm|jsr):/.exec(address)?.[0];
    if (scheme === undefined || name.endsWith("/") || `${name}/` in imports) return [];
    return [[`${name}/`, `${scheme}/${address.slice(scheme.length).replace(/^\//, "")}/`] as const];
  });
  return { ...imports, ...Object.fromEntries(subpaths) };
}
