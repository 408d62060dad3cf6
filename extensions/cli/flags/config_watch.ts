import { relative, resolve } from "node:path";
import { FileWatch } from "../../../runtime/serving/file_watch.ts";
import { localFiles } from "../../../runtime/serving/local_files.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { nearestConfig } from "../../../runtime/program/program_config.ts";

/** Reports changes of files that only a restart reads again, until it is disposed. */
export class ConfigWatch implements AsyncDisposable {
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;

  /**
   * @param modules Paths or URLs of modules, of which the files count that they import, too.
   * @param onChange Called after each change, with the path of the file, relative to the working folder if it is that
   * of a module. It must not throw.
   */
  constructor(files: readonly string[], modules: readonly string[], onChange: (file: string) => void) {
    this.#ended = this.#run(new Map(files.map((file) => [resolve(file), file])), modules, onChange);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  async #run(
    files: Map<string, string>,
    modules: readonly string[],
    onChange: (file: string) => void,
  ): Promise<void> {
    const { signal } = this.#ending;
    const since = Date.now();
    using watch = new FileWatch();
    await watch.follow(files.keys(), since);
    const following = followModules();
    while (!signal.aborted) {
      const changed = await watch.changes({ signal }).catch(() => undefined);
      for (const path of changed ?? []) onChange(files.get(path)!);
    }
    await following;

    /** Deno needs some time to tell what modules import, in which the other files are watched already. */
    async function followModules(): Promise<void> {
      for (const path of await filesOfModules(modules, signal).catch(() => [])) {
        if (!files.has(path)) files.set(path, relative(Deno.cwd(), path));
      }
      if (!signal.aborted) await watch.follow(files.keys(), since);
    }
  }
}

/** Gives the paths of the local files that modules consist of. */
async function filesOfModules(modules: readonly string[], signal: AbortSignal): Promise<readonly string[]> {
  const urls = modules.map((module) => parseModuleSpecifier(module).url);
  const found = urls.map(async (url) => [...(await localFiles(url, undefined, signal)).files]);
  return (await Promise.all(found)).flat();
}

/** Gives the path of each local module's `deno.json`, if there is one, relative to the working folder. */
export function denoConfigsOf(modules: readonly string[]): readonly string[] {
  const configs = modules.map((module) => nearestConfig(parseModuleSpecifier(module).url));
  return [...new Set(configs)].flatMap((path) => path === undefined ? [] : relative(Deno.cwd(), path));
}
