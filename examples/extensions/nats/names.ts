/**
 * Names in the server. AMQP allows any text as the name of a queue. NATS gives a meaning to some characters, and
 * limits the length of a name, so each name is encoded here, and two names never become the same.
 *
 * Only the encoding uses `=`, so `=q=` between the prefix and a name is no part of either.
 */
import { createHash } from "node:crypto";

/** Number of characters up to which an encoded name is readable. A hash replaces a longer one. */
const LONGEST = 150;

/** Encodes a name into one token of a subject. */
export function encoded(name: string): string {
  const token = name === "" ? "=" : name.toWellFormed().replace(/[^A-Za-z\d_-]/gu, percent);
  return token.length <= LONGEST
    ? token
    : `${token.slice(0, LONGEST - 66)}==${createHash("sha256").update(name).digest("hex")}`;
}

function percent(character: string): string {
  return [...new TextEncoder().encode(character)]
    .map((byte) => `=${byte.toString(16).toUpperCase().padStart(2, "0")}`)
    .join("");
}

/** Names of everything under one prefix. */
export class Names {
  readonly #prefix: string;

  constructor(prefix: string) {
    this.#prefix = prefix;
  }

  /**
   * Names a new stream for the messages of a queue. Each time that the queue is declared anew, it is another one: a
   * late verdict on a message of the old stream hits no message of the new one, and the server may take its time to
   * delete the old one.
   */
  newStream(queue: string): string {
    return `${this.#prefix}=q=${encoded(queue)}=${crypto.randomUUID().slice(0, 8)}`;
  }

  /** The subject of the messages of a queue. */
  subject(queue: string): string {
    return `${this.#prefix}.q.${encoded(queue)}`;
  }

  /** The stream that holds the registry. */
  get registry(): string {
    return `${this.#prefix}=registry`;
  }

  /** The subject of an entry of the registry. */
  entry(key: string): string {
    return `${this.#prefix}.registry.${key}`;
  }

  /** The subject that a live session listens to. */
  session(id: string): string {
    return `${this.#prefix}.session.${id}`;
  }
}
