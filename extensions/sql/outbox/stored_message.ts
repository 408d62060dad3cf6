import { Buffer } from "node:buffer";
import type { Message, MessageProperties } from "../../../runtime/message/transport.ts";

/** The columns of a message, in the order of {@linkcode MESSAGE_COLUMNS}. */
export type MessageColumns = readonly [
  messageId: string,
  exchange: string,
  routingKey: string,
  mandatory: number,
  properties: string,
  body: Buffer,
  size: number,
];

export const MESSAGE_COLUMNS = "message_id, exchange, routing_key, mandatory, properties, body, size";

/** Makes the columns of a message. A message that has no id gets one. */
export function columnsOf({ exchange, routingKey, mandatory, properties, body }: Message): MessageColumns {
  const messageId = properties.messageId || crypto.randomUUID();
  const bytes = typeof body === "string"
    ? Buffer.from(body)
    : Buffer.from(body.buffer, body.byteOffset, body.byteLength);
  const text = JSON.stringify({ ...properties, messageId });
  return [messageId, exchange, routingKey, mandatory ? 1 : 0, text, bytes, bytes.length + text.length];
}

/** Makes the message of a row. @throws {SyntaxError} If somebody else has written the row. */
export function messageOf(row: Readonly<Record<string, unknown>>): Message {
  return {
    exchange: String(row["exchange"]),
    routingKey: String(row["routing_key"]),
    mandatory: Number(row["mandatory"]) === 1,
    properties: JSON.parse(String(row["properties"])) as MessageProperties,
    body: row["body"] as Uint8Array,
  };
}
