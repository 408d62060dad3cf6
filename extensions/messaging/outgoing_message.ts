import { type Duration, millisecondsOf, OR_TEXT, shownDuration } from "../../runtime/waiting/duration.ts";
import { requireFields } from "../../runtime/message/field_table.ts";
import type { Given } from "../../runtime/message/plain.ts";
import { compress, type Compression } from "../../runtime/message/payload/compression.ts";
import { jsonSerializer } from "../../runtime/message/payload/exact_json.ts";
import type { Serializer } from "../../runtime/message/serializer.ts";
import type { FieldTable, Message, MessageProperties } from "../../runtime/message/transport.ts";
import type { Exchange } from "./exchange.ts";
import { nameOf } from "./queue.ts";

/**
 * AMQP properties that a publisher sets as they are given. One that is `undefined`, as in a received message,
 * is not set.
 *
 * @internal
 */
type GivenProperties = {
  readonly [Name in Exclude<keyof MessageProperties, "contentType" | "contentEncoding" | "expiration">]?:
    | MessageProperties[Name]
    | undefined;
};

/**
 * Options of one message.
 *
 * The property `deliveryMode` is 2 (kept on disk) by default, and `priority` is 0. `timestamp` is in seconds
 * since the epoch, and `userId` must be the user of the connection. Context data wins over `headers`.
 */
export interface PublishOptions extends GivenProperties {
  /**
   * An exchange or its name. If only a single message names an exchange, it must be declared elsewhere.
   *
   * @default {the default exchange}
   */
  readonly exchange?: Exchange | string | undefined;
  /** Routing key. For the default exchange, it is the name of a queue. @default {""} */
  readonly routingKey?: string | undefined;
  /** Whether publishing fails (`UnroutableError`) if no queue takes the message. @default {false} */
  readonly mandatory?: boolean;
  /** Milliseconds after which the broker drops a message that still waits. @default {never} */
  readonly expiration?: Duration;
  /** Writes the payload. @default {the configured `serializer`, JSON} */
  readonly serializer?: Serializer;
  /** Compression of the body, which is kombu's `gzip`. @default {none} */
  readonly compression?: Compression;
  /** Aborting ends the wait for the confirmation of the broker. */
  readonly signal?: AbortSignal;
}

/**
 * Makes a message as Nameko's publisher writes it: always with mode, priority and headers, even empty ones.
 *
 * @param context Headers that win over those of the options.
 * @throws {RangeError} If `expiration` or `priority` is out of its range.
 * @throws {TypeError} If the payload or a header cannot be written.
 */
export function outgoingMessage(
  payload: unknown,
  {
    exchange = "",
    routingKey = "",
    mandatory = false,
    expiration,
    serializer = jsonSerializer,
    compression,
    headers,
    deliveryMode = 2,
    priority = 0,
    ...properties
  }: Given<Omit<PublishOptions, "signal">>,
  context: FieldTable,
): Message {
  const place = `to exchange "${nameOf(exchange)}"`;
  const lifetime = expiration === undefined ? undefined : millisecondsOf(expiration);
  if (lifetime !== undefined && !(lifetime >= 0 && lifetime < Infinity)) {
    throw new RangeError(
      `Cannot publish ${place}: expiration must be milliseconds, 0 or more, ${OR_TEXT}, ` +
        `got ${shownDuration(expiration)}`,
    );
  }
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    throw new RangeError(`Cannot publish ${place}: priority must be from 0 to 255, got ${priority}`);
  }
  const table = { ...headers, ...context };
  requireFields(table);
  const plain = serializer.encode(payload);
  const compressed = compression === undefined ? undefined : compress(plain, compression);
  return {
    exchange: nameOf(exchange),
    routingKey,
    body: compressed?.body ?? plain,
    mandatory,
    properties: {
      ...properties,
      contentType: serializer.contentType,
      contentEncoding: typeof plain === "string" ? "utf-8" : serializer.contentEncoding,
      deliveryMode,
      priority,
      ...(lifetime !== undefined && { expiration: String(Math.round(lifetime)) }),
      headers: { ...table, ...compressed?.headers },
    },
  };
}
