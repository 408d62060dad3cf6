import { jsonSerializer, type Serializer } from "../../runtime/message/serializer.ts";
import type { FieldTable, Message } from "../../runtime/message/transport.ts";
import { eventExchangeOf } from "./topology.ts";

/** Options of one event. */
export interface DispatchOptions {
  /** Whether it is an error (`UnroutableError`) that no queue takes the event. @default {false} */
  readonly mandatory?: boolean;
  /** Milliseconds after which an event that still waits is dropped. @default {never} */
  readonly expiration?: number;
  /** From 0 to 255; the queues of handlers have no priorities, but others may. @default {0} */
  readonly priority?: number;
  /** 2 has the broker keep the event on disk, 1 has not. @default {2} */
  readonly deliveryMode?: 1 | 2;
  /** Headers, sent as they are given; context data wins over them. @default {{}} */
  readonly headers?: FieldTable;
  /** @default {JSON} */
  readonly serializer?: Serializer;
  /** Aborting ends the wait for the broker's word. */
  readonly signal?: AbortSignal;
}

/**
 * The message of an event, as Nameko's dispatchers write it: the payload alone, without an envelope.
 *
 * @throws {RangeError} If expiration or priority make no sense.
 * @throws {TypeError} If the payload cannot be written.
 */
export function eventMessage(
  source: string,
  type: string,
  payload: unknown,
  {
    mandatory = false,
    expiration,
    priority = 0,
    deliveryMode = 2,
    headers = {},
    serializer = jsonSerializer,
  }: DispatchOptions,
  context: FieldTable = {},
): Message {
  if (expiration !== undefined && !(expiration >= 0 && expiration < Infinity)) {
    throw new RangeError(`Cannot dispatch "${type}": expiration must not be negative, got ${expiration}`);
  }
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    throw new RangeError(`Cannot dispatch "${type}": priority must be from 0 to 255, got ${priority}`);
  }
  return {
    exchange: eventExchangeOf(source),
    routingKey: type,
    body: serializer.encode(payload),
    mandatory,
    properties: {
      contentType: serializer.contentType,
      contentEncoding: serializer.contentEncoding,
      deliveryMode,
      priority,
      ...(expiration !== undefined && { expiration: String(Math.round(expiration)) }),
      headers: { ...headers, ...context },
    },
  };
}
