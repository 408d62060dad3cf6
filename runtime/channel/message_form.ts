/**
 * Says whether messages from a thread have the form that `port.ts` gives them.
 *
 * Service code can reach the port of its thread, so the main thread asks here before it reads a message. The
 * types in `port.ts` are only what an honest thread sends. A thread that sends another form is ended. A request
 * or a publication with wrong fields is only refused, because the values of its fields come from service code
 * that may have made a mistake.
 */
import { type Failure, isErrorStatus, LONGEST_NAME } from "../message/failure.ts";
import { failed, type Fault, type Outcome } from "../message/outcome.ts";
import { isRecord, isTexts } from "../message/plain.ts";
import { plainSize } from "./plain_size.ts";
import type { FromThread } from "./port.ts";

/** Largest size of a manifest, of the data of a failure, or of headers, as {@linkcode plainSize} measures it. */
const MOST = 64 * 1_048_576;

/** Names a message from a thread by its type, for the log. */
export function nameOf(message: unknown): string {
  const type = isRecord(message) ? message["type"] : undefined;
  return typeof type === "string" ? JSON.stringify(type.slice(0, 20)) : "it has no type";
}

/** Whether a value is what an entrypoint may give as its body. */
export function isBody(value: unknown): boolean {
  return typeof value === "string" || value === undefined || value instanceof Uint8Array;
}

/** Whether a value is a piece of a body. */
export function isChunk(value: unknown): boolean {
  return typeof value === "string" || value instanceof Uint8Array;
}

/** Whether a value is the head of a reply. */
export function isHead(value: unknown): boolean {
  return typeof value === "string" || isRecord(value) && plainSize(value, MOST, true) !== Infinity;
}

/** Whether a value is a number of milliseconds that have passed, or of bytes. */
export function isElapsed(value: unknown): boolean {
  return typeof value === "number" && value >= 0 && value < Infinity;
}

/** Whether a value is the id of a request or of a publication. */
export function isId(value: unknown): boolean {
  return Number.isSafeInteger(value);
}

/** Whether a value is what a module exports. */
export function isServices(value: unknown): boolean {
  // A list may have a length of billions, so its size comes first.
  return Array.isArray(value) && isBounded(value) &&
    value.every((item) =>
      isRecord(item) && typeof item["exportName"] === "string" && isManifest(item["manifest"])
    );
}

/** Whether a value describes a failure. Its `data` is not looked at. */
export function isFailure(value: unknown): value is Failure {
  return isRecord(value) && isName(value["name"]) && typeof value["message"] === "string" &&
    typeof value["code"] === "string" && typeof value["retryable"] === "boolean" &&
    (value["status"] === undefined || isErrorStatus(value["status"]));
}

/** Whether a value names the error that a reply tells of. */
export function isFault(value: unknown): value is Fault {
  return isRecord(value) && isName(value["name"]) && typeof value["expected"] === "boolean";
}

function isName(value: unknown): boolean {
  return typeof value === "string" && value.length <= LONGEST_NAME;
}

/** Makes the outcome of a call from what its thread says of its end; undefined if that has another form. */
export function reportedOutcome(
  message: Extract<FromThread, { readonly type: "done" | "failed" }>,
): Outcome | undefined {
  if (!isElapsed(message.elapsed)) return undefined;
  if (message.type === "failed") {
    const { failure, expected, undecoded } = message;
    if (!isFailure(failure)) return undefined;
    const outcome = failed(withPlainData(failure), expected === true);
    return undecoded === true ? { ...outcome, undecoded } : outcome;
  }
  const { body, head, fault } = message;
  if (!isBody(body) || head !== undefined && !isHead(head) || fault !== undefined && !isFault(fault)) {
    return undefined;
  }
  const outcome = fault ? { status: "done", body, fault } as const : { status: "done", body } as const;
  return head === undefined ? outcome : { ...outcome, head };
}

/** Leaves out the data of a failure that JSON cannot carry. */
export function withPlainData(failure: Failure): Failure {
  if (failure.data === undefined || plainSize(failure.data, MOST) < Infinity) return failure;
  const { data: _, ...rest } = failure;
  return rest;
}

/** Returns what is wrong with the fields of a request; undefined if nothing is. */
export function faultOfRequest(request: unknown, timeout: unknown): string | undefined {
  if (!isRecord(request)) return "it is no object";
  const { service, method, body, headers, properties, guard } = request;
  if (typeof service !== "string" || typeof method !== "string") {
    return "its service or its method is no text";
  }
  if (!isChunk(body)) return "its body is neither text nor bytes";
  if (typeof timeout !== "number" || Number.isNaN(timeout)) return "its timeout is no number";
  if (guard !== undefined && !isGuard(guard)) return "it names the policies of a client in another form";
  return faultOfProperties(properties ?? {}) ?? faultOfHeaders(headers);
}

function faultOfProperties(properties: unknown): string | undefined {
  if (!isRecord(properties)) return "its properties are no object";
  if (!isBounded(properties)) return "its properties are too large";
  for (const [key, value] of Object.entries(properties)) {
    if (value instanceof Object) return `its property ${JSON.stringify(key)} is neither text nor number`;
  }
  return undefined;
}

function isGuard(value: unknown): boolean {
  return isRecord(value) && typeof value["key"] === "string" && typeof value["attempt"] === "number" &&
    isBounded(value["off"]) && isTexts(value["off"]);
}

/** Returns what is wrong with the fields of a message to publish; undefined if nothing is. */
export function faultOfMessage(message: unknown): string | undefined {
  if (!isRecord(message)) return "it is no object";
  const { exchange, routingKey, body, properties } = message;
  if (typeof exchange !== "string" || typeof routingKey !== "string") {
    return "its exchange or its routing key is no text";
  }
  if (!isChunk(body)) return "its body is neither text nor bytes";
  if (!isRecord(properties)) return "its properties are no object";
  const { headers, ...rest } = properties;
  return faultOfProperties(rest) ?? (headers === undefined ? undefined : faultOfHeaders(headers));
}

function faultOfHeaders(headers: unknown): string | undefined {
  if (!isRecord(headers)) return "its headers are no object";
  return isBounded(headers) ? undefined : "its headers are nested too deep, or contain themselves";
}

function isManifest(value: unknown): boolean {
  return isRecord(value) && typeof value["name"] === "string" &&
    isList(
      value["entrypoints"],
      (item) =>
        typeof item["method"] === "string" && typeof item["kind"] === "string" && isRecord(item["options"]) &&
        (item["details"] === undefined || isRecord(item["details"])),
    ) &&
    isList(
      value["dependencies"],
      ({ key, kind, options, details }) =>
        typeof key === "string" && (kind === undefined || typeof kind === "string") && isRecord(options) &&
        (details === undefined || isRecord(details)),
    );
}

function isList(value: unknown, fits: (item: Readonly<Record<string, unknown>>) => boolean): boolean {
  return Array.isArray(value) && value.every((item) => isRecord(item) && fits(item));
}

function isBounded(value: unknown): boolean {
  return plainSize(value, MOST, true) < Infinity;
}
