/**
 * This file makes and reads Nameko's error object, for answers to RPC calls and to messages, and for WebSockets.
 *
 * Its keys `exc_type`, `exc_path`, `exc_args` and `value` are Nameko's. The keys `code`, `data`, `retryable`
 * and `status` are Enoki's, and Python callers ignore them (Nameko 2.14).
 */
import { encodeJson } from "./codec.ts";
import {
  BadRequestError,
  CallTimeoutError,
  ContainerStoppingError,
  MethodNotFoundError,
  RemoteError,
  WorkerLostError,
} from "./errors.ts";
import { type Failure, isErrorStatus } from "./failure.ts";
import { isRecord, isTexts } from "./plain.ts";
import { asksForRetry } from "./retry.ts";

/** The AMQP property `type` of a reply whose body is an error object. */
export const ERROR_TYPE = "error";

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

type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

/**
 * Makes the error that an error object of any origin tells about.
 *
 * @param service Name of the service that has sent it, if the name is known.
 */
export function toError(
  { exc_type, exc_path, exc_args, value, code, data, retryable, status }: Unchecked<ErrorObject>,
  service: string | undefined,
): Error {
  const text = textOf(value);
  switch (exc_path) {
    case "nameko.exceptions.MethodNotFound":
      return new MethodNotFoundError(
        Array.isArray(exc_args) && exc_args.length > 0 ? textOf(exc_args[0]) : text,
        service,
        isRecord(data) && isTexts(data["nearest"]) ? data["nearest"].slice(0, 3) : [],
      );
    case "nameko.exceptions.IncorrectSignature":
      return new BadRequestError(text, { data });
    case "nameko.exceptions.MalformedRequest":
      return new BadRequestError(text, { reason: "MalformedRequest", data });
    case "enoki.CallTimeoutError":
      return new CallTimeoutError(text);
    case "enoki.WorkerLostError":
      return new WorkerLostError(text);
    case "enoki.ContainerStoppingError":
      return new ContainerStoppingError(text);
    default:
      return new RemoteError(typeof exc_type === "string" ? exc_type : "Error", text, {
        ...(typeof code === "string" && { code }),
        ...(data !== undefined && { data }),
        retryable: retryable === true,
        ...(isErrorStatus(status) && { status }),
        ...(Array.isArray(exc_args) && { remoteArgs: exc_args }),
      });
  }
}

/** Makes a text of a value, because Python peers may send any JSON where a text belongs. */
export function textOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : encodeJson(value);
}
