/**
 * This file publishes a copy of a message that arrived, although the copy may not fit where the message did.
 *
 * A copy has more headers than its message, and a broker takes larger headers than a transport can write. A
 * message that could neither be handled nor moved would be offered again without end. So a copy that cannot
 * be written is written without what keeps it from being written, and the log says what that was.
 */
import type { Log } from "../log/log.ts";
import { UnroutableError } from "../message/errors.ts";
import { keepWireFields, requireFields, wireFieldsOf } from "../message/field_table.ts";
import type { FieldTable, FieldValue, Message, MessageProperties, Transport } from "../message/transport.ts";

/** No copy of a message can be written, not even without its headers. */
export class UncopyableError extends Error {
  override readonly name = "UncopyableError";
}

/** Options of {@linkcode publishCopyOf}. */
export interface PublishCopyOptions {
  readonly signal: AbortSignal;
  /** The headers that the copy needs, and that its message does not have. */
  readonly own: FieldTable;
  /** Describes the message in the log. */
  readonly name: string;
  readonly log?: Log | undefined;
}

/**
 * Publishes a copy of a message, if necessary without its large and unwritable headers and properties.
 *
 * @throws {UncopyableError} If the copy cannot be written even without all of them.
 */
export async function publishCopyOf(
  transport: Transport,
  copy: Message,
  { signal, own, name, log }: PublishCopyOptions,
): Promise<void> {
  let reason: Error;
  try {
    return await transport.publish(copy, { signal });
  } catch (error) {
    if (!isUnwritable(error)) throw error;
    reason = error;
  }
  for (const reduced of [withoutLarge(copy, own), withoutAll(copy, own)]) {
    try {
      await transport.publish(reduced.message, { signal });
    } catch (error) {
      if (isUnwritable(error)) continue;
      throw error;
    }
    log?.warning(`Left ${list(reduced.left)} out of a copy of ${name}: ${reason.message}`);
    return;
  }
  throw new UncopyableError(`Cannot publish a copy of ${name}: ${reason.message}`, { cause: reason });
}

/** Says whether a transport could not write a message. A broker's answer is another class of error. */
function isUnwritable(error: unknown): error is TypeError | RangeError {
  return (error instanceof TypeError || error instanceof RangeError) && !(error instanceof UnroutableError);
}

interface Reduced {
  readonly message: Message;
  /** What was left out, for people. */
  readonly left: readonly string[];
}

/** Largest size of a header that a reduced copy keeps, in bytes of JSON. */
const LARGE = 1_000;

/** Largest size of all headers that a reduced copy keeps, in bytes of JSON: a field may take thrice as much. */
const ROOM = 16_000;

/** Largest number of bytes of a property that is text. */
const TEXT_LIMIT = 255;

function withoutLarge(copy: Message, own: FieldTable): Reduced {
  const { headers = {}, ...properties } = copy.properties;
  const left: string[] = [];
  const kept: Record<string, unknown> = {};
  for (const [name, value] of Object.entries(properties)) {
    if (isWritable(value)) kept[name] = value;
    else left.push(`property "${name}"`);
  }
  const table: Record<string, FieldValue> = { ...own };
  const wire = wireFieldsOf(headers);
  const hidden = new Set<string>();
  let room = ROOM;
  for (const name of new Set([...Object.keys(headers), ...wire?.keys() ?? []])) {
    if (Object.hasOwn(own, name)) continue;
    const value = headers[name];
    const size = wire?.get(name)?.bytes.length ?? sizeOf(name, value);
    if (size > LARGE || size > room) left.push(`header "${short(name)}"`);
    else {
      room -= size;
      if (value === undefined) hidden.add(name);
      else table[name] = value;
    }
  }
  keepWireFields(table, headers, (name) => hidden.has(name) || Object.hasOwn(table, name));
  return { message: { ...copy, properties: { ...kept as MessageProperties, headers: table } }, left };
}

function withoutAll(copy: Message, own: FieldTable): Reduced {
  const { contentType, contentEncoding, deliveryMode } = copy.properties;
  const properties = {
    ...(isWritable(contentType) && contentType !== undefined && { contentType }),
    ...(isWritable(contentEncoding) && contentEncoding !== undefined && { contentEncoding }),
    ...(deliveryMode !== undefined && { deliveryMode }),
    headers: { ...own },
  };
  return { message: { ...copy, properties }, left: ["all headers and properties of its sender"] };
}

function isWritable(property: unknown): boolean {
  return typeof property !== "string" || new TextEncoder().encode(property).length <= TEXT_LIMIT;
}

/** Returns the size of a header, which is infinite if the header cannot be written at all. */
function sizeOf(name: string, value: FieldValue | undefined): number {
  try {
    requireFields({ [name]: value! });
    return new TextEncoder().encode(JSON.stringify([name, value])).length;
  } catch {
    return Infinity;
  }
}

/** Largest number of headers that one line of the log names. */
const NAMED = 10;

function list(left: readonly string[]): string {
  if (left.length === 0) return "nothing";
  const more = left.length > NAMED ? ` and ${left.length - NAMED} more` : "";
  return `${left.slice(0, NAMED).join(", ")}${more}`;
}

function short(name: string): string {
  return name.length <= 60 ? name : `${name.slice(0, 60)}…`;
}
