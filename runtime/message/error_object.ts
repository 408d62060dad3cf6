/**
 * This file makes Nameko's error object, for answers to RPC calls and for WebSockets.
 *
 * Its keys `exc_type`, `exc_path`, `exc_args` and `value` are Nameko's. The keys `code`, `data`, `retryable`
 * and `status` are Enoki's, and Python callers ignore them (Nameko 2.14).
 */
import { isRecord } from "./plain.ts";
import type { Failure } from "./failure.ts";
import { asksForRetry } from "./retry.ts";

/** An error on the wire. */
export interface ErrorObject {
  readonly exc_type: string;
  readonly exc_path: string;
  readonly exc_args: readonly unknown[];
  readonly value: string;
  readonly code?: string;
  readonly data?: unknown;
  readonly retryable?: boolean;
  readonly status?: number;
}

/** Makes the error object that tells a caller about the failure of its call of `service`. */
export function toErrorObject(failure: Failure, service: string): ErrorObject {
  const { message, data, retryable, status } = failure;
  // A handler that asks for a retry asks its own runtime. With the code RETRY, the caller's runtime would
  // take the error for a retry that the caller asks for.
  const code = asksForRetry(failure) ? "ERROR" : failure.code;
  const detail = {
    code,
    ...(data !== undefined && { data }),
    ...(retryable && { retryable }),
    ...(status !== undefined && { status }),
  };
  const field = (key: string) => isRecord(data) && typeof data[key] === "string" ? data[key] : message;
  switch (code) {
    case "METHOD_NOT_FOUND":
      return nameko("MethodNotFound", [field("method")], field("method"), detail);
    case "UNKNOWN_SERVICE":
      return nameko("UnknownService", [field("service")], `Unknown service \`${field("service")}\``, detail);
    case "BAD_REQUEST":
      return nameko("IncorrectSignature", [message], message, detail);
    case "MALFORMED_REQUEST":
      return nameko("MalformedRequest", [message], message, detail);
    case "CONNECTION_NOT_FOUND":
      return nameko("ConnectionNotFound", [field("socketId")], field("socketId"), detail);
    case "BAD_RESULT":
      return nameko("UnserializableValueError", [], message, detail);
    case "TIMEOUT":
    case "WORKER_LOST":
    case "CONTAINER_STOPPING":
      return errorObject("enoki", failure.name, [message], message, detail);
    default:
      return failure.name === "RemoteError"
        ? nameko("RemoteError", [message], message, detail)
        : errorObject(service, failure.name, [message], message, detail);
  }
}

type Detail = Pick<ErrorObject, "code" | "data" | "retryable" | "status">;

function nameko(type: string, args: readonly unknown[], value: string, detail: Detail): ErrorObject {
  return errorObject("nameko.exceptions", type, args, value, detail);
}

function errorObject(
  module: string,
  type: string,
  args: readonly unknown[],
  value: string,
  detail: Detail,
): ErrorObject {
  return { exc_type: type, exc_path: `${module}.${type}`, exc_args: args, value, ...detail };
}
