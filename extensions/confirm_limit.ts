import { timeLimit } from "../runtime/waiting/abort.ts";
import { BrokerError } from "../runtime/message/errors.ts";

/**
 * Publishes, and waits for the broker's confirm for so many milliseconds.
 *
 * @param action What is done, as it goes on after "Cannot".
 * @param publish Must give up when its signal aborts.
 * @throws {BrokerError} If the time is over.
 */
export async function confirmWithin(
  milliseconds: number,
  action: string,
  publish: (signal: AbortSignal) => Promise<void>,
): Promise<void> {
  using limit = timeLimit(milliseconds);
  try {
    await publish(limit.signal);
  } catch (error) {
    if (!limit.signal.aborted || error !== limit.signal.reason) throw error;
    throw new BrokerError(
      `Cannot ${action}: the broker did not confirm it within ${milliseconds / 1_000} s. ` +
        "Check whether it blocks publishers, or allow more time",
      { cause: error },
    );
  }
}
