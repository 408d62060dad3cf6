/**
 * Gathers the frames that are written during one tick and hands them to the socket as one piece.
 *
 * amqplib writes each frame to the socket by itself, and under Deno each such write is a system call: a burst of
 * a hundred publishes makes a hundred of them, and its object stream per channel costs more than encoding the
 * message does. All channels of a connection share one writer instead, so their frames stay in the order in
 * which they were written.
 *
 * The invariant: bytes leave in the order of `write()`. Channel 0 (heartbeats, closing the connection) still
 * writes to the socket directly and may overtake what waits here; hence {@linkcode TickWriter.flush} must come
 * before the connection is closed. A heartbeat may be early, which harms nobody.
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { nextTick } from "node:process";

/** Bytes that may gather within a tick before they are written anyway. */
const GATHER_LIMIT = 256 * 1024;

/** Writes for all channels of a connection. */
export class TickWriter {
  readonly #socket: Socket;
  #frames: Uint8Array[] = [];
  #bytes = 0;

  /** Called when the socket is no longer full. */
  onDrain: (() => void) | undefined;

  constructor(socket: Socket) {
    this.#socket = socket;
    socket.on("drain", () => this.onDrain?.());
  }

  /** Whether the socket has more to write than it likes. */
  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Takes a frame; returns whether more are welcome at once. */
  write(frame: Uint8Array): boolean {
    if (this.#frames.push(frame) === 1) nextTick(this.flush);
    this.#bytes += frame.length;
    if (this.#bytes >= GATHER_LIMIT) this.flush();
    return !this.full;
  }

  /** Writes what has gathered. After the loss of the socket there is nobody to write to, and it is dropped. */
  readonly flush = (): void => {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (!this.#socket.writable) return;
    this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames, bytes));
  };

  /** A channel that uses the writer has closed; the others go on. */
  end(): void {}
}
