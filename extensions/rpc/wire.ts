/**
 * Nameko's RPC envelopes: `{"args", "kwargs"}` for a request, `{"result", "error"}` for a response.
 *
 * Each envelope always has both of its keys, because Nameko requires them. The error object has Nameko's four
 * keys. The keys `code`, `data`, `retryable` and `status` are Enoki's own, and Python callers ignore them
 * (Nameko 2.14).
 */
import { isRecord } from "../../runtime/message/plain.ts";
import { BadRequestError, RemoteError } from "../../runtime/message/errors.ts";
import { encodeJson } from "../../runtime/message/codec.ts";
import { jsonSerializer } from "../../runtime/message/payload/exact_json.ts";
import { isOurJson } from "../../runtime/message/payload/payloads.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import { textOf, toError, toErrorObject } from "../../runtime/message/error_object.ts";
import type { Failure } from "../../runtime/message/failure.ts";

/** The arguments of a request. */
export interface RequestArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** Writes a request. */
export function encodeRequest(args: readonly unknown[], kwargs?: Readonly<Record<string, unknown>>): string;
export function encodeRequest(
  args: readonly unknown[],
  kwargs: Readonly<Record<string, unknown>> | undefined,
  serializer: Serializer,
): string | Uint8Array<ArrayBuffer>;
export function encodeRequest(
  args: readonly unknown[],
  kwargs?: Readonly<Record<string, unknown>>,
  serializer: Serializer = jsonSerializer,
): string | Uint8Array<ArrayBuffer> {
  if (!isOurJson(serializer)) return serializer.encode({ args, kwargs: kwargs ?? {} });
  const { encode } = serializer;
  return `{"args": ${encode(args)}, "kwargs": ${kwargs === undefined ? "{}" : encode(kwargs)}}`;
}

/**
 * Reads a request.
 *
 * @throws {BadRequestError} With Nameko's reason `MalformedRequest`, if the body is no request.
 */
export function decodeRequest(
  body: string | Uint8Array<ArrayBuffer>,
  serializer: Serializer = jsonSerializer,
): RequestArguments {
  let request: unknown;
  try {
    request = serializer.decode(body);
  } catch (error) {
    throw malformed(`Cannot decode the request: ${(error as Error).message}`);
  }
  return requestArguments(request);
}

/**
 * Finds the arguments in a request that has been decoded.
 *
 * @throws {BadRequestError} With Nameko's reason `MalformedRequest`, if it is no request.
 */
export function requestArguments(request: unknown): RequestArguments {
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
export function decodeResponse(
  body: string | Uint8Array,
  service?: string,
  serializer: Serializer = jsonSerializer,
): unknown {
  let response: unknown;
  try {
    response = serializer.decode(body as string | Uint8Array<ArrayBuffer>);
  } catch (error) {
    throw unreadable(error);
  }
  return resultOf(response, service);
}

/** Makes the error for a response that cannot be decoded. */
export function unreadable(error: unknown): RemoteError {
  return new RemoteError("MalformedResponse", `Cannot decode the response: ${(error as Error).message}`);
}

/**
 * Finds the result in a response that has been decoded, or throws the error that the service reports.
 *
 * @param service Name of the service that has sent the response.
 * @throws {CallError} If the service reports an error, or it is no response.
 */
export function resultOf(response: unknown, service?: string): unknown {
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
