/**
 * Collects the frames that channels write during one tick, and hands them to the socket as one piece.
 *
 * amqplib writes each frame to the socket by itself, and under Deno each such write is a system call: a burst
 * of a hundred publishes makes a hundred system calls. Besides, amqplib has an object stream for each
 * channel, which costs more than encoding the message. With this writer, all channels of a connection share
 * one writer, so their frames stay in the order in which they were written.
 *
 * The invariant: bytes leave in the order of the `write()` calls. Channel 0 (heartbeats, closing the
 * connection) still writes to the socket directly, so its frames may overtake the frames that wait here.
 * Hence {@linkcode TickWriter.flush} must come before the connection closes. A heartbeat may be early, which
 * harms nobody.
 */

import { Buffer } from "node:buffer";
import type { Socket } from "node:net";
import { nextTick } from "node:process";

/** Bytes that may wait within a tick. At this size, the writer writes them before the tick ends. */
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

  /** Whether the socket's write buffer is full, so that further frames should wait for `onDrain`. */
  get full(): boolean {
    return this.#socket.writableNeedDrain;
  }

  /** Takes a frame. Returns whether the caller may write more frames at once. */
  write(frame: Uint8Array): boolean {
    if (this.#frames.push(frame) === 1) nextTick(this.#flushLast);
    this.#bytes += frame.length;
    if (this.#bytes >= GATHER_LIMIT) this.flush();
    return !this.full;
  }

  /** Flushes behind what the tick still has to do, such as to send the acknowledgements that belong to these frames. */
  readonly #flushLast = (): void => nextTick(this.flush);

  /** Writes the collected frames. After the loss of the socket, it drops them. */
  readonly flush = (): void => {
    const frames = this.#frames;
    if (frames.length === 0) return;
    this.#frames = [];
    const bytes = this.#bytes;
    this.#bytes = 0;
    if (!this.#socket.writable) return;
    this.#socket.write(frames.length === 1 ? frames[0]! : Buffer.concat(frames, bytes));
  };

  /** Does nothing. amqplib calls it when a channel closes, but the other channels still use the writer. */
  end(): void {}
}
