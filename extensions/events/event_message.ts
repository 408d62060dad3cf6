import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import { requireFields } from "../../runtime/message/field_table.ts";
import { compress, type Compression } from "../../runtime/message/payload/compression.ts";
import { jsonSerializer } from "../../runtime/message/payload/exact_json.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { FieldTable, Message } from "../../runtime/message/transport.ts";
import { eventExchangeOf } from "./topology.ts";

/** Options of one event. */
export interface DispatchOptions {
  /** Whether dispatching fails (`UnroutableError`) if no queue takes the event. @default {false} */
  readonly mandatory?: boolean;
  /** Milliseconds after which the broker drops an event that still waits. @default {never} */
  readonly expiration?: Duration;
  /** Priority from 0 to 255. The queues of handlers have no priorities, but other queues may. @default {0} */
  readonly priority?: number;
  /** With 2, the broker keeps the event on disk; with 1, it does not. @default {2} */
  readonly deliveryMode?: 1 | 2;
  /** Headers, which are sent as they are given. Context data wins over them. @default {{}} */
  readonly headers?: FieldTable;
  /** Writes the payload. @default {the configured `serializer`, JSON} */
  readonly serializer?: Serializer;
  /** Compression of the payload, which is kombu's `gzip`. @default {none} */
  readonly compression?: Compression;
  /** Aborting ends the wait for the confirmation of the broker. */
  readonly signal?: AbortSignal;
}

/**
 * Makes the message of an event as Nameko's dispatchers write it: the payload alone, without an envelope.
 *
 * @param context Headers that win over those of the options.
 * @throws {RangeError} If `expiration` or `priority` is out of its range.
 * @throws {TypeError} If the source or the type is no text, or the payload or a header cannot be written.
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
    compression,
  }: DispatchOptions,
  context: FieldTable = {},
): Message {
  requireText("source", source);
  requireText("type", type);
  const lifetime = expiration === undefined ? undefined : millisecondsOf(expiration);
  if (lifetime !== undefined && !(lifetime >= 0 && lifetime < Infinity)) {
    throw new RangeError(
      `Cannot dispatch "${type}": expiration must be milliseconds, 0 or more, ${OR_TEXT}, ` +
        `got ${shownDuration(expiration)}`,
    );
  }
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    throw new RangeError(`Cannot dispatch "${type}": priority must be from 0 to 255, got ${priority}`);
  }
  const table = { ...headers, ...context };
  requireFields(table);
  const plain = serializer.encode(payload);
  const compressed = compression === undefined ? undefined : compress(plain, compression);
  return {
    exchange: eventExchangeOf(source),
    routingKey: type,
    body: compressed?.body ?? plain,
    mandatory,
    properties: {
      contentType: serializer.contentType,
      contentEncoding: serializer.contentEncoding,
      deliveryMode,
      priority,
      ...(lifetime !== undefined && { expiration: String(Math.round(lifetime)) }),
      headers: compressed === undefined ? table : { ...table, ...compressed.headers },
    },
  };
}

/** Code without types can leave an argument out, and its event would go to nobody, or to an exchange of no service. */
function requireText(what: string, value: unknown): void {
  if (typeof value === "string") return;
  throw new TypeError(`Cannot dispatch an event: its ${what} is ${value}. Give it a text`);
}
