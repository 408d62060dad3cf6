import type { Message, MessageProperties } from "../../runtime/message/transport.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { copyFieldTable } from "./field_table.ts";

/** A sealed message shares nothing with its publisher: its body is bytes, and its properties are copies. */
export interface SealedMessage {
  readonly exchange: string;
  readonly routingKey: string;
  readonly body: Uint8Array;
  readonly properties: MessageProperties;
  readonly mandatory: boolean;
}

const encoder = new TextEncoder();

/**
 * Seals a message, so that it is as if a wire had carried it.
 *
 * @throws {TypeError} If a header is not a field value.
 * @throws {RangeError} If `priority` is not an integer from 0 to 255.
 * @throws {BrokerError} If `expiration` is not a number of milliseconds.
 */
export function seal({ exchange, routingKey, body, properties, mandatory = false }: Message): SealedMessage {
  return {
    exchange,
    routingKey,
    body: typeof body === "string" ? encoder.encode(body) : new Uint8Array(body),
    properties: copyProperties(properties),
    mandatory,
  };
}

function copyProperties(properties: MessageProperties): MessageProperties {
  const copy: Record<string, unknown> = {};
  for (const key in properties) {
    const value = properties[key as keyof MessageProperties];
    if (value !== undefined) copy[key] = value;
  }
  const { headers, expiration, priority } = properties;
  if (headers !== undefined) copy["headers"] = copyFieldTable(headers);
  if (expiration !== undefined && !/^\d+$/.test(expiration)) {
    throw new BrokerError(
      `Cannot publish: expiration "${expiration}" is not a number of milliseconds, such as "60000"`,
    );
  }
  if (priority !== undefined && !(Number.isInteger(priority) && priority >= 0 && priority <= 255)) {
    throw new RangeError(`Cannot publish: priority ${priority} is not an integer from 0 to 255`);
  }
  return copy;
}
