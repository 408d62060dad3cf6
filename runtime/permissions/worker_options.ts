/**
 * This file finds out whether Deno lets a thread have its own permissions.
 *
 * Deno has an unstable option for that. Without the flag, and without `"unstable": ["worker-options"]` in the
 * configuration that Deno found, the first restricted `new Worker` ends the whole process with status 70, and
 * no code can catch that. Deno does not tell a program its flags. So this file reads the flags where Linux
 * shows them, and looks for the configuration where Deno looks. If neither gives an answer, the answer is
 * undefined, and the caller can only go on.
 */
import { readFileSync } from "node:fs";
import { ConfigurationError } from "../message/errors.ts";
import { commandLine, programConfig } from "../program/program_config.ts";

/** The flag of `deno run` that lets threads have their own permissions. */
export const WORKER_OPTIONS_FLAG = "--unstable-worker-options";

/** Says whether this process can restrict threads; undefined if that cannot be known. */
export function hasWorkerOptions(): boolean | undefined {
  // The flag is part of a binary, and a binary shows no flags.
  if (Deno.build.standalone) return undefined;
  // Without this permission, Deno would ask the person at the terminal.
  if (Deno.permissions.querySync({ name: "read" }).state !== "granted") return undefined;
  const words = commandLine();
  if (words?.includes(WORKER_OPTIONS_FLAG)) return true;
  const config = programConfig();
  if (config !== undefined && allowsIt(config)) return true;
  return words === undefined ? undefined : false;
}

/**
 * Checks that this process can restrict threads.
 *
 * @throws {ConfigurationError} If a restricted thread would end the process.
 */
export function requireWorkerOptions(): void {
  if (hasWorkerOptions() !== false) return;
  throw new ConfigurationError(
    "Cannot restrict what services may do: Deno was started without the option for that. Add " +
      `${WORKER_OPTIONS_FLAG} after deno run, or "unstable": ["worker-options"] to your deno.json`,
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

/** What does not end reaches to the end of the file, so that nothing is read twice. */
const TEXT_OR_COMMENT = /"(?:\\[^]|[^"\\])*"?|\/\/.*|\/\*(?:[^]*?\*\/|[^]*)/g;

const TEXT_OR_LAST_COMMA = /"(?:\\[^]|[^"\\])*"?|,(?=\s*[}\]])/g;

/** Removes comments and trailing commas from JSONC. The full parser is loaded only when it is needed. */
function plainJson(text: string): string {
  const keepText = (part: string) => part.startsWith('"') ? part : "";
  return text.replace(TEXT_OR_COMMENT, keepText).replace(TEXT_OR_LAST_COMMA, keepText);
}
