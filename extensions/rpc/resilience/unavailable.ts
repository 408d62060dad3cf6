import { RemoteError } from "../../../runtime/message/errors.ts";
import { describeFailure } from "../../../runtime/message/failure.ts";

/** Codes of the failures that say nothing about the arguments of a call. */
const UNAVAILABLE = ["TIMEOUT", "UNKNOWN_SERVICE", "WORKER_LOST", "CONTAINER_STOPPING"];

/** Codes of the refusals of a client's own policies. */
const REFUSED = ["CIRCUIT_OPEN", "BULKHEAD_FULL", "RATE_LIMITED"];

/**
 * Says whether a service is unavailable, as far as the failure of a call tells.
 *
 * @param on Class names of errors of handlers that count, too.
 */
export function isUnavailable(error: unknown, on: readonly string[]): boolean {
  // Its code is that of the handler, which may have got it from a service that it has called itself.
  const thrown = thrownByHandler(error);
  if (thrown !== undefined) return on.includes(thrown.remoteName);
  const { name, code } = describeFailure(error);
  return name === "BrokerError" || UNAVAILABLE.includes(code);
}

/** Says whether a policy of the client itself has refused the call. */
export function isRefused(error: unknown): boolean {
  return thrownByHandler(error) === undefined && REFUSED.includes(describeFailure(error).code);
}

/** Gives what an error tells of one that a handler has thrown. An error of a registered class has it as its cause. */
function thrownByHandler(error: unknown): RemoteError | undefined {
  const { cause } = Object(error) as { readonly cause?: unknown };
  return [error, cause].find((each) => each instanceof RemoteError);
}
