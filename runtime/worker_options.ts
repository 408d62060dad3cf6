/**
 * Whether Deno lets a thread have permissions of its own.
 *
 * It is an unstable option: without the flag, or `"unstable": ["worker-options"]` in the configuration that Deno
 * found, the first restricted `new Worker` ends the whole process with status 70, and nothing can catch that.
 * Deno does not tell a program its flags. So they are read where Linux shows them, and the configuration is
 * looked for where Deno looks. Where neither tells, the answer is undefined, and to go on is all that is left.
 */
import { existsSync, readFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { ConfigurationError } from "./errors.ts";

/** The flag of `deno run` that allows it. */
export const WORKER_OPTIONS_FLAG = "--unstable-worker-options";

const CONFIG_NAMES = ["deno.json", "deno.jsonc"];

/** Whether threads can be restricted in this process; undefined where that cannot be known. */
export function hasWorkerOptions(): boolean | undefined {
  // The flag is part of a binary, which shows no flags.
  if (Deno.build.standalone) return undefined;
  // To look without being allowed to would be a question to the person at the terminal.
  if (Deno.permissions.querySync({ name: "read" }).state !== "granted") return undefined;
  const words = commandLine();
  if (words?.includes(WORKER_OPTIONS_FLAG)) return true;
  const config = configPath(words ?? []);
  if (config !== undefined && allowsIt(config)) return true;
  return words === undefined ? undefined : false;
}

/**
 * Checks that threads can be restricted.
 *
 * @throws {ConfigurationError} If to restrict one would end the process.
 */
export function requireWorkerOptions(): void {
  if (hasWorkerOptions() !== false) return;
  throw new ConfigurationError(
    "Cannot restrict what services may do: Deno was started without its option for it. Add " +
      `${WORKER_OPTIONS_FLAG} behind deno run, or "unstable": ["worker-options"] to your deno.json`,
  );
}

/** The words behind `deno` that this process was started with; undefined where the system does not show them. */
export function commandLine(): readonly string[] | undefined {
  try {
    return readFileSync("/proc/self/cmdline", "utf8").split("\0").slice(1, -1);
  } catch {
    return undefined;
  }
}

function allowsIt(config: string): boolean {
  try {
    return readFileSync(config, "utf8").includes('"worker-options"');
  } catch {
    return false;
  }
}

/** The configuration that Deno took: one that was named, or the nearest above the main module. */
function configPath(words: readonly string[]): string | undefined {
  if (words.includes("--no-config")) return undefined;
  for (const [index, word] of words.entries()) {
    if (word === "--config" || word === "-c") return words[index + 1];
    if (word.startsWith("--config=")) return word.slice("--config=".length);
  }
  if (!Deno.mainModule.startsWith("file:")) return undefined;
  for (let folder = dirname(fileURLToPath(Deno.mainModule));; folder = dirname(folder)) {
    const found = CONFIG_NAMES.map((name) => join(folder, name)).find((path) => existsSync(path));
    if (found !== undefined || folder === dirname(folder)) return found;
  }
}
