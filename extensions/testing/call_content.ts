/**
 * Reads the arguments and the results of calls, as their messages have them.
 *
 * The main thread does that for a test alone. It reads what is on the wire, so it is the same whatever threads run the
 * handler: before schemas and defaults, and with the serializers of the configuration.
 */
import { decodeCallHeaders } from "../../runtime/message/call_headers.ts";
import type { Failure } from "../../runtime/message/failure.ts";
import type { EndedOutcome, Outcome } from "../../runtime/message/outcome.ts";
import type { Payloads } from "../../runtime/message/payload/payloads.ts";
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";
import type { Payload } from "../../runtime/service/entrypoint.ts";
import { acceptedSerializers, decodePayload } from "../../runtime/service/payload_conversion.ts";
import type { FieldTable } from "../../runtime/message/transport.ts";
import { decodeResponseHead, headerPairs, headOf } from "../http/request/head.ts";
import { requestArguments } from "../rpc/wire.ts";
import { decodeArguments } from "../websocket/wire.ts";

/** The arguments of a call. */
export interface CallArguments {
  readonly args: readonly unknown[];
  readonly kwargs: Readonly<Record<string, unknown>>;
}

/** How a call has ended. */
export type TestCallOutcome<Result = unknown> =
  | { readonly ok: true; readonly result: Result }
  | {
    readonly ok: false;
    /** The error as data: its class is that of the service. */
    readonly error: Failure;
    /** Whether the entrypoint's `expected` names the error. */
    readonly expected: boolean;
  };

/** A call whose content is read. */
export interface ReadCall {
  readonly kind: string;
  readonly method: string;
  readonly payload: Payload;
}

/** Gives the context data that has come with a call. */
export function contextDataOf({ headers }: Payload): FieldTable {
  return decodeCallHeaders(headers).data;
}

/** Reads the arguments of a call. A message that cannot be read has none. */
export async function argumentsOf(call: ReadCall, payloads: Payloads): Promise<CallArguments> {
  try {
    return await readArguments(call, payloads);
  } catch {
    return { args: [], kwargs: {} };
  }
}

async function readArguments(
  { kind, method, payload }: ReadCall,
  payloads: Payloads,
): Promise<CallArguments> {
  const { message, body } = payload;
  switch (kind) {
    case "rpc":
      return requestArguments(await decoded(payload, payloads));
    case "event":
    case "consume": {
      const value = await decoded(payload, payloads);
      return { args: message === undefined ? [value] : [value, message], kwargs: {} };
    }
    case "websocket": {
      const { args, data } = decodeArguments(method, body as string);
      return { args: [(message as PlainRecord)["socketId"], ...args], kwargs: data };
    }
    case "http": {
      const head = headOf(payload);
      const { url, method, headers, params } = head;
      const init = { method, headers: headerPairs(headers), ...(body !== undefined && { body }) };
      return { args: [new Request(url, init), params], kwargs: {} };
    }
    default:
      return { args: [], kwargs: {} };
  }
}

/** Decodes a body; without a content type, it is JSON. */
async function decoded(payload: Payload, payloads: Payloads): Promise<unknown> {
  const { contentType = "application/json" } = payload;
  return await decodePayload({ ...payload, contentType }, acceptedSerializers([], payloads), payloads);
}

/** Reads how a call has ended. */
export async function outcomeOf(
  kind: string,
  outcome: EndedOutcome,
  payloads: Payloads,
): Promise<TestCallOutcome> {
  if (outcome.status === "failed") {
    return { ok: false, error: outcome.failure, expected: outcome.expected };
  }
  const { fault } = outcome;
  const result = await resultOf(kind, outcome, payloads).catch(() => undefined);
  if (fault === undefined) return { ok: true, result };
  const known = isRecord(result) ? result as Partial<Failure> : {};
  const error = { message: "", code: "ERROR", retryable: false, ...known, name: fault.name };
  return { ok: false, error, expected: fault.expected };
}

type Done = Extract<Outcome, { readonly status: "done" }>;

async function resultOf(kind: string, { body, head }: Done, payloads: Payloads): Promise<unknown> {
  switch (kind) {
    case "rpc": {
      if (head === undefined) return JSON.parse(body as string);
      // The thread has written the envelope, too.
      const { contentType } = head as { readonly contentType: string };
      const envelope = await decoded({ body, contentType, headers: undefined }, payloads);
      if (!isRecord(envelope)) return undefined;
      const { error, result } = envelope;
      return isRecord(error) ? { message: error["value"], code: error["code"] } : result;
    }
    case "websocket":
      return body === undefined ? undefined : JSON.parse(body as string);
    case "http": {
      const { status, headers } = decodeResponseHead(head);
      return new Response(NO_BODY.has(status) ? null : body ?? null, {
        status,
        headers: headerPairs(headers),
      });
    }
  }
}

/** Statuses with which a `Response` takes no body. */
const NO_BODY: ReadonlySet<number> = new Set([204, 205, 304]);
