/** This file finds the `deno.json` that counts: for this program, as Deno found it, and for a module. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** Returns the words after `deno` on the command line; undefined if the system does not show them. */
export function commandLine(): readonly string[] | undefined {
  try {
    return readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(1, -1);
  } catch {
    return undefined;
  }
}

/**
 * Returns the path of the configuration that Deno took.
 *
 * It is the file that the command line names, or the nearest configuration above the main module.
 */
export function programConfig(): string | undefined {
  const options = denoOptions();
  if (options.includes("--no-config")) return undefined;
  for (const [index, word] of options.entries()) {
    if (word === "--config" || word === "-c") return resolve(options[index + 1]!);
    if (word.startsWith("--config=")) return resolve(word.slice("--config=".length));
  }
  return nearestConfig(Deno.mainModule);
}

/**
 * Returns the flags by which Deno looks at modules as it runs this program. Without those for the lock file, the packages
 * of a module that has another lock file, or none, would end in that of the program.
 */
export function programFlags(): readonly string[] {
  const config = programConfig();
  return [...programLock(), ...(config === undefined ? ["--no-config"] : ["--config", config])];
}

const ENGINE_FLAGS =
  /^--(?:unstable-[-\w]+|v8-flags=.*|(?:unsafely-ignore-certificate-errors|use-env-proxy)(?:=.*)?)$/;

/** Those of these flags that have a value, which may be a word of its own. */
const ENGINE_VALUES = /^--(?:cert|location|seed|conditions)(?:=.*)?$/;

/** Returns the flags of Deno that are neither a permission nor about modules, but change how code runs. */
export function engineFlags(): readonly string[] {
  return denoOptions().flatMap((word, index, options) => {
    if (!ENGINE_VALUES.test(word)) return ENGINE_FLAGS.test(word) ? [word] : [];
    return word.includes("=") ? [word] : [word, options[index + 1]!];
  });
}

/** Returns the options by which Deno was told which lock file it uses; none if its configuration decides. */
function programLock(): readonly string[] {
  return denoOptions().flatMap((word, index, options) => {
    const next = options[index + 1];
    if (word === "--lock" && next?.startsWith("-") === false) return [word, next];
    return /^--(?:no-lock|lock(?:=.*)?)$/.test(word) ? [word] : [];
  });
}

/**
 * Returns the words for Deno itself: those after the main module are for the program, which may have its own --config,
 * and so are all words of a binary.
 */
function denoOptions(): readonly string[] {
  const words = Deno.build.standalone ? [] : commandLine() ?? [];
  const main = words.findIndex((word) =>
    word === Deno.mainModule || `${pathToFileURL(word)}` === Deno.mainModule
  );
  return main === -1 ? words : words.slice(0, main);
}

/** Returns the path of the nearest configuration above a module; undefined if the module is not a file. */
export function nearestConfig(moduleUrl: string): string | undefined {
  return nearestFile(moduleUrl, ["deno.json", "deno.jsonc"]);
}

/** Returns the path of the nearest `package.json` above a module; undefined if the module is not a file. */
export function nearestPackageJson(moduleUrl: string): string | undefined {
  return nearestFile(moduleUrl, ["package.json"]);
}

function nearestFile(moduleUrl: string, names: readonly string[]): string | undefined {
  if (!moduleUrl.startsWith("file:")) return undefined;
  let folder = dirname(fileURLToPath(moduleUrl));
  while (true) {
    for (const name of names) {
      const path = join(folder, name);
      if (existsSync(path)) return path;
    }
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}
