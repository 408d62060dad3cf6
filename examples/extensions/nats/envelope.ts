/**
 * What a message says besides its body, as one header of a NATS message.
 *
 * The header holds JSON, because headers of NATS are text and those of AMQP have types. The body stays as it is, so
 * that other clients of NATS can read it. A message that somebody else has put into a queue may lack the header, or
 * have anything in it: it then arrives without properties.
 */
import type { FieldTable, FieldValue, Message, MessageProperties } from "@enoki/enoki";
import type { Msg } from "./client_library.ts";

/** The header's name. */
export const ENVELOPE = "Enoki-Message";

/** Where a message was published, and what it says about itself. */
export interface Envelope {
  readonly exchange: string;
  readonly routingKey: string;
  readonly properties: MessageProperties;
}

/** Writes the header of a message. */
export function sealEnvelope({ exchange, routingKey, properties }: Message): string {
  return JSON.stringify({ exchange, routingKey, properties });
}

/** Reads the header of a message that arrived in `queue`. */
export function openEnvelope(text: string | undefined, queue: string): Envelope {
  const value = parsed(text);
  if (!isTable(value)) return { exchange: "", routingKey: queue, properties: {} };
  const { exchange, routingKey, properties } = value;
  return {
    exchange: typeof exchange === "string" ? exchange : "",
    routingKey: typeof routingKey === "string" ? routingKey : queue,
    properties: isTable(properties) ? knownProperties(properties) : {},
  };
}

/** The header's text of a message; undefined if it has none. */
export function envelopeOf(message: Pick<Msg, "headers">): string | undefined {
  return message.headers?.get(ENVELOPE) || undefined;
}

function parsed(text: string | undefined): unknown {
  try {
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

const isText = (value: FieldValue): boolean => typeof value === "string";
const isInteger = (value: FieldValue): boolean => Number.isSafeInteger(value);

const KNOWN: Readonly<Record<keyof MessageProperties, (value: FieldValue) => boolean>> = {
  contentType: isText,
  contentEncoding: isText,
  headers: (value) => isTable(value) && isShallow(value, DEPTH),
  deliveryMode: (value) => value === 1 || value === 2,
  priority: isInteger,
  correlationId: isText,
  replyTo: isText,
  expiration: isText,
  messageId: isText,
  timestamp: isInteger,
  type: isText,
  userId: isText,
  appId: isText,
};

function knownProperties(table: FieldTable): MessageProperties {
  return Object.fromEntries(
    Object.entries(KNOWN).flatMap(([name, fits]) => {
      const value = Object.hasOwn(table, name) ? table[name] : undefined;
      return value !== undefined && fits(value) ? [[name, value]] : [];
    }),
  );
}

/** Largest number of levels of a header's value, as in Enoki's other transports. */
const DEPTH = 64;

function isShallow(value: FieldValue, depth: number): boolean {
  if (typeof value !== "object" || value === null) return true;
  return depth > 0 && Object.values(value).every((each) => isShallow(each, depth - 1));
}

function isTable(value: unknown): value is FieldTable {
  return typeof value === "object" && value !== null && !Array.isArray(value);
}
