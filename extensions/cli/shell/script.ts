import { pause } from "../../../runtime/waiting/abort.ts";
import { EXIT } from "../view/failure_report.ts";
import type { CommandIo } from "../command_io.ts";
import { inputFailure, valueText } from "./display.ts";
import type { Evaluator } from "./evaluator.ts";
import type { Input } from "./input.ts";
import { onStrayFailure } from "./stray_failures.ts";

/** A text that runs once, without a prompt. */
export interface Script {
  readonly text: string;
  readonly input: Input;
}

/**
 * Runs a script, prints the value of its last expression, waits for the calls and events that the script has sent, and
 * gives the exit status.
 */
export async function runScript(
  { text, input }: Script,
  evaluator: Evaluator,
  broker: string,
  io: CommandIo,
): Promise<number> {
  const stray = Promise.withResolvers<never>();
  using _failures = onStrayFailure(stray.reject);
  try {
    const value = await Promise.race([evaluator.run(input), stray.promise]);
    if (value !== undefined) io.writeResult(`${valueText(value, io.screen?.colors === true)}\n`);
    await Promise.race([evaluator.settled(), stray.promise]);
    // The failure of what was sent last is not heard of before the next turn of the event loop.
    await Promise.race([pause(0), stray.promise]);
    return EXIT.fine;
  } catch (error) {
    const failure = inputFailure(error, text, broker);
    io.writeMessage(`${failure.text}\n`);
    return failure.status;
  }
}
