import type { Event, MakeCallOptions } from "../runtime/cli/composition.ts";
import { connect } from "./connect.ts";
import { confirmWithin } from "./broker.ts";

/**
 * Dispatches one event and closes the connection again.
 *
 * @throws {BrokerError} If the broker cannot be reached or confirms nothing in time, or the source's exchange does
 * not exist.
 * @throws {UnroutableError} If the event is mandatory and no queue takes it.
 */
export async function emit(
  { source, type, payload, headers, mandatory, timeout }: Event,
  options: Omit<MakeCallOptions, "onConnected">,
): Promise<void> {
  await using cluster = await connect(options);
  await confirmWithin(
    timeout,
    `dispatch event "${type}" of "${source}"`,
    (signal) => cluster.dispatch(source, type, payload, { headers, mandatory, signal }),
  );
}
