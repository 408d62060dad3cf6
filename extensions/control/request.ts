/** A request on the control channel, as it is written and read. Whoever may publish at the broker can write one. */
import { JSON_CONTENT_TYPE, UTF8 } from "../../runtime/message/codec.ts";
import { isRecord, isTexts, type Plain } from "../../runtime/message/plain.ts";
import type { Delivery, Message } from "../../runtime/message/transport.ts";
import { CONTROL_EXCHANGE, isReplyQueue, REQUEST_LIFETIME } from "./topology.ts";

/** What is asked of the processes that serve. */
export interface ControlRequest {
  /** What is asked for, such as `status`. */
  readonly ask: string;
  /** Only processes that serve one of these services answer. @default {all} */
  readonly services?: readonly string[];
  /** Only the instances with these ids answer. @default {all} */
  readonly instances?: readonly string[];
  /** What else a kind of request needs. */
  readonly [field: string]: Plain | undefined;
}

/** A request that has arrived, and the way back. */
export interface ReceivedRequest {
  readonly request: ControlRequest;
  readonly replyTo: string;
  readonly correlationId: string;
}

/** Most bytes of a request: the ids of some thousand instances. */
const MOST_BYTES = 128 * 1024;

const ASK = /^[a-z][a-z-]{0,31}$/;
const CORRELATION_ID = /^[\w-]{1,64}$/;

/**
 * Makes the message for a request.
 *
 * @param lifetime Milliseconds after which nobody waits for an answer.
 * @throws {RangeError} If the request is too long.
 */
export function requestMessage(
  request: ControlRequest,
  { replyTo, correlationId, lifetime }: {
    readonly replyTo: string;
    readonly correlationId: string;
    readonly lifetime: number;
  },
): Message {
  const body = new TextEncoder().encode(JSON.stringify(request));
  if (body.length > MOST_BYTES) {
    throw new RangeError(
      `Cannot ask for "${request.ask}": the request has ${body.length} bytes, more than ${MOST_BYTES}. ` +
        "Name fewer instances",
    );
  }
  return {
    exchange: CONTROL_EXCHANGE,
    routingKey: "",
    body,
    mandatory: true,
    properties: {
      contentType: JSON_CONTENT_TYPE,
      deliveryMode: 1,
      replyTo,
      correlationId,
      expiration: String(Math.max(1, Math.ceil(Math.min(lifetime, REQUEST_LIFETIME)))),
    },
  };
}

/** Reads a request. Gives undefined if it is none, or leads to a queue that is not for answers. */
export function readRequest({ body, properties }: Delivery): ReceivedRequest | undefined {
  const { replyTo, correlationId } = properties;
  if (typeof replyTo !== "string" || !isReplyQueue(replyTo)) return undefined;
  if (typeof correlationId !== "string" || !CORRELATION_ID.test(correlationId)) return undefined;
  if (body.length > MOST_BYTES) return undefined;
  let request: unknown;
  try {
    request = JSON.parse(UTF8.decode(body));
  } catch {
    return undefined;
  }
  return isRequest(request) ? { request, replyTo, correlationId } : undefined;
}

function isRequest(value: unknown): value is ControlRequest {
  if (!isRecord(value)) return false;
  const { ask, services, instances } = value;
  return typeof ask === "string" && ASK.test(ask) && isTextsOrAbsent(services) && isTextsOrAbsent(instances);
}

function isTextsOrAbsent(value: unknown): boolean {
  return value === undefined || isTexts(value);
}
