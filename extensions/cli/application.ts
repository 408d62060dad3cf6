/**
 * The command line of a program with services inside. It has no commands, only the options of `run`, and so such a
 * program does not contain the code of the commands.
 */
import type { Application, Build, CommandIo } from "./command_io.ts";
import { createCommandLine, parseCommandLine } from "./command_line.ts";
import { withPermissions, withServing } from "./command_options.ts";
import { runCommand } from "./commands/run.ts";
import { startProcess } from "./process.ts";
import { EXIT } from "./view/failure_report.ts";
import { reportingFailure } from "./view/reporting_failure.ts";

/** Runs the command line of this process, which has services inside, and ends the process. */
export function startApplication(build: Build & { readonly application: Application }): Promise<never> {
  const { modules } = build.application;
  return startProcess(
    build,
    (argv, io) =>
      reportingFailure((text) => io.writeMessage(`${text}\n`), () => parseAndServe(modules, argv, io)),
  );
}

async function parseAndServe(
  modules: readonly string[],
  argv: readonly string[],
  io: CommandIo,
): Promise<number> {
  let status: number = EXIT.fine;
  const program = createCommandLine(io)
    .description("Serves the services inside this program until SIGINT or SIGTERM; a second signal aborts.")
    .usage("[options]");
  withPermissions(withServing(program)).action(async (flags) => {
    status = await runCommand(modules, flags, io);
  });
  return await parseCommandLine(program, argv) ?? status;
}
