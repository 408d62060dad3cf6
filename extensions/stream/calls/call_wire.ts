/**
 * What crosses between the main thread and a thread about one call of a connection.
 *
 * To the thread goes a text: the room to write, the facts of the connection that never change, and its state.
 * The state is JSON and stays with the main thread as text. Back come the bytes or the text that the call has
 * written, as the body, and a head if there is more to say.
 */
import type { PlainRecord } from "../../../runtime/message/plain.ts";

/** The facts about a connection that a thread gets with each call. */
export interface CallHead {
  /** Bytes that the call may write before it has to wait; negative if nothing can be written. */
  readonly room: number;
  readonly id: string;
  /** The addresses of the peer and of this side, as JSON. */
  readonly ends: string;
  /** The state that the connection's calls share, as JSON. */
  readonly state: string;
}

const ID_LENGTH = 36;

/** @param facts The id, which has 36 characters, and then the addresses as JSON. */
export function encodeCallHead(room: number, facts: string, state: string): string {
  return `${room} ${facts}\n${state}`;
}

export function decodeCallHead(text: string): CallHead {
  const space = text.indexOf(" ");
  const end = text.indexOf("\n");
  const idEnd = space + 1 + ID_LENGTH;
  return {
    room: Number(text.slice(0, space)),
    id: text.slice(space + 1, idEnd),
    ends: text.slice(idEnd, end),
    state: text.slice(end + 1),
  };
}

/** What a call leaves beside what it has written. All of it is absent from most calls. */
export interface CallTail extends PlainRecord {
  /** The changed state, as JSON. */
  readonly state: string;
  /** How the call ends the connection: `close`, `abort`, or `failed`; empty if it does not. */
  readonly end: string;
  /** Why it does. */
  readonly reason: string;
}
