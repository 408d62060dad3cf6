/**
 * Nameko's RPC envelopes: `{"args", "kwargs"}` for a request, `{"result", "error"}` for a response.
 *
 * Each envelope always has both of its keys, because Nameko requires them. The error object has Nameko's four
 * keys. The keys `code`, `data`, `retryable` and `status` are Enoki's own, and Python callers ignore them
 * (Nameko 2.14).
 */
import { isRecord } from "../../runtime/message/plain.ts";
import { BadRequestError, RemoteError } from "../../runtime/message/errors.ts";
import { bodyText, decodeJson, encodeJson } from "../../runtime/message/codec.ts";
import { textOf, toError, toErrorObject } from "../../runtime/message/error_object.ts";
import type { Failure } from "../../runtime/message/failure.ts";

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
