/**
 * Starts the command line, as in `deno run -A cli.ts run ./service.ts`.
 *
 * @module
 */
import type { Build, CommandIo } from "./extensions/cli/command_io.ts";
import { runCommandLine } from "./extensions/cli/main.ts";
import { startProcess } from "./extensions/cli/process.ts";

/**
 * Runs a command line and returns its exit status: 0 for success, 1 if the remote method failed, 2 for wrong
 * usage, 3 if the target is unreachable, 70 for a bug of Enoki. It never throws, and never ends the process.
 */
export function main(argv: readonly string[], io: CommandIo): Promise<number> {
  return runCommandLine(argv, io);
}

/** Runs this process's command line and ends the process. */
export function start(build: Build = {}): Promise<never> {
  return startProcess(build, main);
}

if (import.meta.main) await start();
