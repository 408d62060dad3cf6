import type { Call, MakeCallOptions } from "../runtime/cli/composition.ts";
import { connect } from "./connect.ts";

/**
 * Makes one call and closes the connection again.
 *
 * @throws {BrokerError} If the broker cannot be reached; nothing is retried.
 * @throws {CallError} If the call fails.
 */
export async function call(
  { service, method, positional, named, ...origin }: Call,
  { onConnected, ...options }: MakeCallOptions,
): Promise<unknown> {
  await using cluster = await connect({ ...options, ...origin });
  onConnected(cluster.broker);
  return await cluster.method(service, method).kwargs(named, ...positional);
}
