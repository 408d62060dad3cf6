import type { Call } from "../../../runtime/service/call.ts";
import type { DependencyHost } from "../../../runtime/service/dependency.ts";
import type { RunningTransaction } from "../query/running_transaction.ts";
import { writeMessage } from "./outbox_writer.ts";
import type { RelayAlarm } from "./relay_alarm.ts";

/**
 * Has all that a call publishes written into the outbox.
 *
 * @param transaction Gives the transaction that the running code is a part of.
 */
export function divertToOutbox(
  { service, divert }: Pick<DependencyHost, "service" | "divert">,
  call: Call,
  transaction: () => RunningTransaction,
  alarm: RelayAlarm,
): void {
  divert(call, async (message, { key, signal }) => {
    signal?.throwIfAborted();
    const running = transaction();
    await writeMessage(running.dialect, (...args) => running.query(...args), service, message, key);
    running.afterCommit(() => alarm.ring());
  });
}
