/**
 * Puts a body and facts about it into one text, or into one piece of bytes, as the two halves of a dependency exchange
 * them: the facts as JSON on the first line, then the body as it is.
 */
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";

/** A body with facts about it. */
export interface Frame {
  readonly facts: PlainRecord;
  readonly body: string | Uint8Array;
}

/** Writes a frame, as text if the body is text. */
export function writeFrame({ facts, body }: Frame): string | Uint8Array<ArrayBuffer> {
  const line = `${JSON.stringify(facts)}\n`;
  if (typeof body === "string") return line + body;
  const head = new TextEncoder().encode(line);
  const bytes = new Uint8Array(head.length + body.length);
  bytes.set(head);
  bytes.set(body, head.length);
  return bytes;
}

/** @throws {SyntaxError} If it is no frame. */
export function readFrame(frame: string | Uint8Array): Frame {
  const end = typeof frame === "string" ? frame.indexOf("\n") : frame.indexOf(NEWLINE);
  if (end < 0) throw new SyntaxError("Cannot read a frame: it has no first line");
  const line = typeof frame === "string"
    ? frame.slice(0, end)
    : new TextDecoder().decode(frame.subarray(0, end));
  const facts: unknown = JSON.parse(line);
  if (!isRecord(facts)) throw new SyntaxError("Cannot read a frame: its first line is no object");
  return { facts: facts as PlainRecord, body: frame.slice(end + 1) };
}

const NEWLINE = 10;
