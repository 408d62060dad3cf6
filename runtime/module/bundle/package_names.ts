/**
 * This file gives the names of a `package.json` the meaning that they have under `deno run`: a name stands for a
 * package of npm.
 *
 * The version is the one that is installed beside the file, in `node_modules`, or else the one that the file asks for.
 * The code of a package always comes from Deno's cache, so what somebody has changed in `node_modules` does not count.
 */
import { ServiceLoadError } from "../../message/errors.ts";
import { isRecord } from "../../message/plain.ts";

/** Loads a local file; gives undefined if there is none. */
export type LoadText = (url: string) => Promise<string | undefined>;

/** The names of packages in one `package.json`. */
export class PackageNames {
  readonly #url: string;
  /** What the file asks for, by name. */
  readonly #wanted: ReadonlyMap<string, string>;
  /** Versions that are installed, by name. */
  readonly #installed: ReadonlyMap<string, string>;

  /** Use {@linkcode PackageNames.read}. */
  constructor(
    url: string,
    wanted: ReadonlyMap<string, string>,
    installed: ReadonlyMap<string, string>,
  ) {
    this.#url = url;
    this.#wanted = wanted;
    this.#installed = installed;
  }

  /**
   * Reads a file, and the versions of the packages that are installed beside it.
   *
   * @throws {ServiceLoadError} If the file is no `package.json`.
   */
  static async read(url: string, load: LoadText): Promise<PackageNames> {
    const { dependencies, devDependencies, optionalDependencies } = parsed(await load(url) ?? "{}", url);
    const wanted = new Map(
      [devDependencies, optionalDependencies, dependencies].flatMap((each) =>
        isRecord(each) ? Object.entries(each).filter((entry) => typeof entry[1] === "string") : []
      ) as [string, string][],
    );
    const installed = await Promise.all([...wanted.keys()].map(async (name) => {
      const file = new URL(`./node_modules/${name}/package.json`, url).href;
      const text = await load(file);
      const version = text === undefined ? undefined : parsed(text, file).version;
      return typeof version === "string" ? [[name, version] as const] : [];
    }));
    return new PackageNames(url, wanted, new Map(installed.flat()));
  }

  /** Says whether the file has the package that a bare specifier names. */
  has(specifier: string): boolean {
    return this.#wanted.has(partsOf(specifier).name);
  }

  /**
   * Returns the URL that a bare specifier, such as `zod` or `zod/mini`, stands for; undefined if the file has no such
   * name.
   *
   * @throws {ServiceLoadError} If the name stands for something else than a package of npm.
   */
  resolve(specifier: string): string | undefined {
    const { name, subpath } = partsOf(specifier);
    const wanted = this.#wanted.get(name);
    if (wanted === undefined) return undefined;
    const [, alias = name, asked = wanted] = /^npm:((?:@[^/]+\/)?[^@]+)(?:@(.+))?$/.exec(wanted) ?? [];
    const version = /[:/]/.test(asked) ? asked : this.#installed.get(name) ?? asked;
    if (/^[\w.^~*+-]+$/.test(version)) return `npm:${alias}@${version}${subpath}`;
    throw new ServiceLoadError(
      `Cannot resolve "${specifier}": ${this.#url} asks for ${
        JSON.stringify(wanted)
      }, which names no version. ` +
        "Run npm install, if it is a range of versions; packages from elsewhere than npm cannot be used",
    );
  }
}

function partsOf(specifier: string): { readonly name: string; readonly subpath: string } {
  const [, name = "", subpath = ""] = /^((?:@[^/]+\/)?[^/@]+)((?:\/.*)?)$/.exec(specifier) ?? [];
  return { name, subpath };
}

function parsed(text: string, url: string): Readonly<Record<string, unknown>> {
  try {
    const value: unknown = JSON.parse(text);
    if (isRecord(value)) return value;
  } catch {
    // It is reported below.
  }
  throw new ServiceLoadError(`Cannot use ${url}: it is not a JSON object`);
}
