import type { CommandIo } from "./command_io.ts";
import { BUNDLE_WORD } from "../../runtime/program/own_package.ts";
import { parseAndRun } from "./program.ts";
import { reportingFailure } from "./view/reporting_failure.ts";

/** Runs a command line and returns the exit status. It never throws, and never ends the process. */
export async function runCommandLine(
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  return await reportingFailure((text) => io.writeMessage(`${text}\n`), async () => {
    if (argv[0] === BUNDLE_WORD) {
      const { bundleCommand } = await import("../../runtime/module/bundle/bundling_process.ts");
      return await bundleCommand();
    }
    return await parseAndRun(argv, io);
  });
}
