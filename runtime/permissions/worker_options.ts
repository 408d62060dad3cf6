/**
 * Whether Deno lets a thread have permissions of its own.
 *
 * It is an unstable option: without the flag, or `"unstable": ["worker-options"]` in the configuration that Deno
 * found, the first restricted `new Worker` ends the whole process with status 70, and nothing can catch that.
 * Deno does not tell a program its flags. So they are read where Linux shows them, and the configuration is
 * looked for where Deno looks. Where neither tells, the answer is undefined, and to go on is all that is left.
 */
import { readFileSync } from "node:fs";
import { ConfigurationError } from "../message/errors.ts";
import { commandLine, programConfig } from "../program/program_config.ts";

/** The flag of `deno run` that allows it. */
export const WORKER_OPTIONS_FLAG = "--unstable-worker-options";

/** Whether threads can be restricted in this process; undefined where that cannot be known. */
export function hasWorkerOptions(): boolean | undefined {
  // The flag is part of a binary, which shows no flags.
  if (Deno.build.standalone) return undefined;
  // To look without being allowed to would be a question to the person at the terminal.
  if (Deno.permissions.querySync({ name: "read" }).state !== "granted") return undefined;
  const words = commandLine();
  if (words?.includes(WORKER_OPTIONS_FLAG)) return true;
  const config = programConfig();
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

function allowsIt(config: string): boolean {
  try {
    const { unstable }: { unstable?: unknown } = JSON.parse(plainJson(readFileSync(config, "utf8")));
    return Array.isArray(unstable) && unstable.includes("worker-options");
  } catch {
    return false;
  }
}

/** Takes the comments and trailing commas out of JSONC. The parser for all of it is loaded in its own time only. */
function plainJson(text: string): string {
  return text.replace(
    /"(?:\\.|[^"\\])*"|\/\/.*|\/\*[^]*?\*\/|,(?=(?:\s|\/\/.*|\/\*[^]*?\*\/)*[}\]])/g,
    (part) => part.startsWith('"') ? part : "",
  );
}
