/**
 * Nameko's WebSocket messages: `{"method", "data", "correlation_id"}` from a client, results and events to a
 * client.
 *
 * `data` has arguments by name. `args` has arguments by position and is our own addition: a client that knows
 * the service by its TypeScript type does not know the names of parameters. Nameko 2.14 ignores the key
 * `args`.
 */
import { isRecord } from "../../runtime/message/plain.ts";
import { decodeJson, decodeJsonRoughly, encodeJson } from "../../runtime/message/codec.ts";
import { toErrorObject } from "../../runtime/message/error_object.ts";
import { BadRequestError } from "../../runtime/message/errors.ts";
import { describeFailure, type Failure } from "../../runtime/message/failure.ts";

/** The parts of a request that the main thread must know. */
export interface RequestEnvelope {
  readonly method: unknown;
  /** The client's own name for the request: any JSON value, as text. */
  readonly correlationId: string;
}

/** The parts of a request that the thread must know. */
export interface RequestArguments {
  readonly args: readonly unknown[];
  readonly data: Readonly<Record<string, unknown>>;
}

/** Reads a request without its arguments. Returns undefined if the text is not a request. */
export function decodeEnvelope(text: string): RequestEnvelope | undefined {
  try {
    const request = decodeJsonRoughly(text);
    if (!isRecord(request) || !("method" in request)) return undefined;
    return { method: request.method, correlationId: encodeJson(request.correlation_id) };
  } catch {
    return undefined;
  }
}

/**
 * Reads the arguments of a request.
 *
 * @throws {BadRequestError} If `data` is not empty and not a mapping, or if `args` is not a list.
 */
export function decodeArguments(method: string, text: string): RequestArguments {
  const { data, args = [] } = decodeJson(text) as Readonly<Record<string, unknown>>;
  const isEmpty = !data || (Array.isArray(data) && data.length === 0);
  if (!isEmpty && !isRecord(data)) {
    throw new BadRequestError(`${method}() argument after ** must be a mapping`);
  }
  if (!Array.isArray(args)) throw new BadRequestError(`${method}() argument after * must be a list`);
  return { args, data: isEmpty ? {} : data as RequestArguments["data"] };
}

/** Writes the answer to a request that succeeded. `result` is its result, encoded as JSON. */
export function encodeResult(result: string, correlationId: string): string {
  return `{"type": "result", "success": true, "data": ${result}, "correlation_id": ${correlationId}}`;
}

/** Writes the answer to a request that failed in `service`. */
export function encodeFailure(failure: Failure, service: string, correlationId: string): string {
  return encodeError(toErrorObject(failure, service), correlationId);
}

/** Writes the answer to a message that is not a request. */
export function encodeMalformed(): string {
  const error = new BadRequestError("Invalid JSON data", { reason: "MalformedRequest" });
  return encodeError(toErrorObject(describeFailure(error), ""), "null");
}

/**
 * Writes the answer to a request for a method that no service has. Nameko's answer says no more than this
 * either.
 */
export function encodeMethodNotFound(correlationId: string): string {
  const path = "nameko.exceptions.MethodNotFound";
  const detail = { code: "METHOD_NOT_FOUND" };
  return encodeError(
    { exc_type: "MethodNotFound", exc_path: path, exc_args: [], value: "", ...detail },
    correlationId,
  );
}

/**
 * Writes an event.
 *
 * @throws {TypeError} If JSON cannot represent `data`.
 */
export function encodeEvent(event: string, data: unknown): string {
  return `{"type": "event", "event": ${encodeJson(event)}, "data": ${encodeJson(data)}}`;
}

function encodeError(error: unknown, correlationId: string): string {
  return `{"type": "result", "success": false, "error": ${
    encodeJson(error)
  }, "correlation_id": ${correlationId}}`;
}
