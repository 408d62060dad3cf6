import { compress, jsonSerializer, type Serializer } from "../../runtime/message/serializer.ts";
import type { FieldTable, Message, MessageProperties } from "../../runtime/message/transport.ts";
import type { Exchange } from "./exchange.ts";
import { nameOf } from "./queue.ts";

/** AMQP's properties that a publisher sets as they are given; `undefined`, as read from a message, is none. */
type GivenProperties = {
  readonly [Name in Exclude<keyof MessageProperties, "contentType" | "contentEncoding" | "expiration">]?:
    | MessageProperties[Name]
    | undefined;
};

/**
 * Options of one message. Of its properties, `deliveryMode` is 2 (kept on disk) unless it is said to be 1,
 * `priority` 0, `timestamp` seconds since the epoch, and `userId` must be the connection's own. Context data wins
 * over `headers`.
 */
export interface PublishOptions extends GivenProperties {
  /** Name of an exchange, or one that is declared elsewhere. @default {the default exchange} */
  readonly exchange?: Exchange | string | undefined;
  /** Of the default exchange: the name of a queue. @default {""} */
  readonly routingKey?: string | undefined;
  /** Whether it is an error (`UnroutableError`) that no queue takes the message. @default {false} */
  readonly mandatory?: boolean;
  /** Milliseconds after which a message that still waits is dropped. @default {never} */
  readonly expiration?: number;
  /** @default {JSON} */
  readonly serializer?: Serializer;
  /** Kombu's `gzip`. @default {none} */
  readonly compression?: "gzip";
  /** Aborting ends the wait for the broker's word. */
  readonly signal?: AbortSignal;
}

/** Options of which each has a value or is not there. */
export type Given<Options> = { readonly [Name in keyof Options]?: Exclude<Options[Name], undefined> };

/** Leaves out the options that are undefined, so that they do not win over others. */
export function given<Options extends object>(options: Options): Given<Options> {
  return Object.fromEntries(
    Object.entries(options).filter(([, value]) => value !== undefined),
  ) as Given<Options>;
}

/**
 * A message as Nameko's publisher writes it: mode and priority are always there, headers too, be they empty.
 *
 * @param context Headers that win over those of the options.
 * @throws {RangeError} If expiration or priority make no sense.
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
  if (expiration !== undefined && !(expiration >= 0 && expiration < Infinity)) {
    throw new RangeError(`Cannot publish ${place}: expiration must not be negative, got ${expiration}`);
  }
  if (!(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    throw new RangeError(`Cannot publish ${place}: priority must be from 0 to 255, got ${priority}`);
  }
  const plain = serializer.encode(payload);
  const compressed = compression === undefined ? undefined : compress(plain);
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
      ...(expiration !== undefined && { expiration: String(Math.round(expiration)) }),
      headers: { ...headers, ...context, ...compressed?.headers },
    },
  };
}
