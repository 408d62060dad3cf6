import { ConfigurationError } from "../../../runtime/message/errors.ts";

/**
 * Returns the error of a server that cannot listen.
 *
 * @param address Where, for the message.
 * @param setting What chooses the address, for the message.
 */
export function listenError(address: string, error: unknown, setting: string): ConfigurationError {
  if (error instanceof ConfigurationError) return error;
  const message = `Cannot listen on ${address}: ${
    listenFailure(error)
  }. Choose another address with ${setting}`;
  return new ConfigurationError(message, { cause: error });
}

/** Gives the reason why a server cannot listen, as words for a message. */
export function listenFailure(error: unknown): string {
  if (error instanceof Deno.errors.AddrInUse) return "the port is in use";
  if (error instanceof Deno.errors.AddrNotAvailable) return "this machine has no such address";
  if (error instanceof Deno.errors.PermissionDenied) return "it is not permitted";
  return error instanceof Error ? error.message : String(error);
}
