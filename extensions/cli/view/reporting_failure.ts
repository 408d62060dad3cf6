import type { CommandIo } from "../command_io.ts";
import { reportFailure } from "./failure_report.ts";

/** Runs a command and returns its exit status. It reports what the command throws. */
export async function reportingFailure(io: CommandIo, run: () => Promise<number>): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const { status, text } = reportFailure(error);
    io.writeMessage(`${text}\n`);
    return status;
  }
}
