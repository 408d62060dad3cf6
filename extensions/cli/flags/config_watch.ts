import { relative, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { FileWatch } from "../../../runtime/serving/file_watch.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { nearestConfig } from "../../../runtime/program/program_config.ts";

/** Reports changes of files that only a restart reads again, until it is disposed. */
export class ConfigWatch implements AsyncDisposable {
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;

  /** @param onChange Called after each change, with the path as the caller gave it. It must not throw. */
  constructor(files: readonly string[], onChange: (file: string) => void) {
    this.#ended = this.#run(new Map(files.map((file) => [resolve(file), file])), onChange);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  async #run(files: ReadonlyMap<string, string>, onChange: (file: string) => void): Promise<void> {
    const { signal } = this.#ending;
    using watch = new FileWatch();
    await watch.follow(files.keys(), Date.now());
    while (!signal.aborted) {
      const changed = await watch.changes({ signal }).catch(() => undefined);
      for (const path of changed ?? []) onChange(files.get(path)!);
    }
  }
}

/** Gives the paths of the modules that are files, as the caller names them. */
export function localFilesOf(modules: readonly string[]): readonly string[] {
  return modules.flatMap((module) => {
    const { url } = parseModuleSpecifier(module);
    return url.startsWith("file:") ? [relative(Deno.cwd(), fileURLToPath(url))] : [];
  });
}

/** Gives the path of each local module's `deno.json`, if there is one, relative to the working folder. */
export function denoConfigsOf(modules: readonly string[]): readonly string[] {
  const configs = modules.map((module) => nearestConfig(parseModuleSpecifier(module).url));
  return [...new Set(configs)].flatMap((path) => path === undefined ? [] : relative(Deno.cwd(), path));
}
