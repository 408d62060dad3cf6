/**
 * Nameko's RPC envelopes: `{"args", "kwargs"}` for a request, `{"result", "error"}` for a response.
 *
 * Each envelope always has both of its keys, because Nameko requires them. The error object has Nameko's four
 * keys. The keys `code`, `data`, `retryable` and `status` are Enoki's own, and Python callers ignore them
 * (Nameko 2.14).
 */
import { isRecord, isTexts } from "../../runtime/message/plain.ts";
import {
  BadRequestError,
  CallTimeoutError,
  ContainerStoppingError,
  MethodNotFoundError,
  RemoteError,
  WorkerLostError,
} from "../../runtime/message/errors.ts";
import { bodyText, decodeJson, encodeJson } from "../../runtime/message/codec.ts";
import { type ErrorObject, toErrorObject } from "../../runtime/message/error_object.ts";
import { type Failure, isErrorStatus } from "../../runtime/message/failure.ts";

/** The arguments of a request. */
export interface RequestArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** Writes a request. */
export function encodeRequest(args: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>): string {
  return `{"args": ${encodeJson(args)}, "kwargs": ${kwargs === undefined ? "{}" : encodeJson(kwargs)}}`;
}

/**
 * Reads a request.
 *
 * @throws {BadRequestError} With Nameko's reason `MalformedRequest`, if the body is no request.
 */
export function decodeRequest(body: string | Uint8Array): RequestArguments {
  let request: unknown;
  try {
    request = decodeJson(bodyText(body));
  } catch (error) {
    throw malformed(`Cannot decode the request: ${(error as Error).message}`);
  }
  if (!isRecord(request) || !("args" in request) || !("kwargs" in request)) {
    throw malformed("Message missing `args` or `kwargs`");
  }
  const { args, kwargs } = request;
  if (!Array.isArray(args) || !isRecord(kwargs)) {
    throw malformed("Message needs `args` to be an array and `kwargs` to be an object");
  }
  return { args, kwargs };
}

/** Writes a response from an encoded result. */
export function encodeResult(result: string): string {
  return `{"result": ${result}, "error": null}`;
}

/** Writes a response from a failure of `service`. */
export function encodeFailure(failure: Failure, service: string): string {
  return `{"result": null, "error": ${encodeJson(toErrorObject(failure, service))}}`;
}

/**
 * Reads a response: returns the result, or throws the error that the service reports.
 *
 * @param service Name of the service that has sent the response.
 * @throws {CallError} If the service reports an error, or the body is no response.
 */
export function decodeResponse(body: string | Uint8Array, service?: string): unknown {
  let response: unknown;
  try {
    response = decodeJson(bodyText(body));
  } catch (error) {
    throw new RemoteError("MalformedResponse", `Cannot decode the response: ${(error as Error).message}`);
  }
  if (!isRecord(response) || !("result" in response || "error" in response)) {
    throw new RemoteError("MalformedResponse", "Response has neither `result` nor `error`");
  }
  const { result, error } = response;
  if (isRecord(error)) {
    if (Object.keys(error).length > 0) throw toError(error, service);
  } else if (error) {
    throw new RemoteError("Error", textOf(error));
  }
  return result ?? null;
}

function malformed(message: string): BadRequestError {
  return new BadRequestError(message, { reason: "MalformedRequest" });
}

type Unchecked<T> = { readonly [Key in keyof T]?: unknown };

function toError(
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
      });
  }
}

/** Makes a text of a value, because Python peers may send any JSON where a text belongs. */
function textOf(value: unknown): string {
  if (value === undefined) return "";
  return typeof value === "string" ? value : encodeJson(value);
}
