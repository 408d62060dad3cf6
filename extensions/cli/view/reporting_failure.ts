import { reportFailure } from "./failure_report.ts";

/**
 * Runs a command and returns its exit status. It reports what the command throws.
 *
 * @param report Takes a text without the final line break.
 */
export async function reportingFailure(
  report: (text: string) => void,
  run: () => Promise<number>,
): Promise<number> {
  try {
    return await run();
  } catch (error) {
    const { status, text } = reportFailure(error);
    report(text);
    return status;
  }
}
