/** Which `deno.json` counts: for this program, as Deno found it, and for a module. */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath, pathToFileURL } from "node:url";

/** The words behind `deno` that this process was started with; undefined where the system does not show them. */
export function commandLine(): readonly string[] | undefined {
  try {
    return readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(1, -1);
  } catch {
    return undefined;
  }
}

/** Path of the configuration that Deno took: one that was named, or the nearest above the main module. */
export function programConfig(): string | undefined {
  const words = commandLine() ?? [];
  // What is behind the main module is for the program, which may have a --config of its own.
  const main = words.findIndex((word) =>
    word === Deno.mainModule || `${pathToFileURL(word)}` === Deno.mainModule
  );
  const options = main === -1 ? words : words.slice(0, main);
  if (options.includes("--no-config")) return undefined;
  for (const [index, word] of options.entries()) {
    if (word === "--config" || word === "-c") return resolve(options[index + 1]!);
    if (word.startsWith("--config=")) return resolve(word.slice("--config=".length));
  }
  return nearestConfig(Deno.mainModule);
}

/** The configuration that a module lies under: the nearest one above it. Undefined for what is no file. */
export function nearestConfig(moduleUrl: string): string | undefined {
  if (!moduleUrl.startsWith("file:")) return undefined;
  let folder = dirname(fileURLToPath(moduleUrl));
  while (true) {
    for (const name of ["deno.json", "deno.jsonc"]) {
      const path = join(folder, name);
      if (existsSync(path)) return path;
    }
    const parent = dirname(folder);
    if (parent === folder) return undefined;
    folder = parent;
  }
}
