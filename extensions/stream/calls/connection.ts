import type { StreamData } from "../framing/frame.ts";

/**
 * A connection, as handlers have it.
 *
 * @typeParam Written What may be written: a text for each line, or bytes.
 * @typeParam State What the connection remembers between its calls.
 */
export interface StreamConnection<Written = StreamData, State = Record<string, unknown>> {
  /** Unique id of the connection. */
  readonly id: string;
  /** Address of the peer, such as `tcp://192.0.2.7:50312`. The client of a Unix socket has `unix:`. */
  readonly peer: string;
  /** Address of this side. */
  readonly host: string;
  /** Any JSON. Later calls of this connection read what a call writes here, in whichever thread they run. */
  readonly state: State;
  /**
   * Writes a line, bytes, or a frame. Resolves when the runtime has taken it, which takes as long as the peer
   * has too much to read.
   *
   * @throws {ConnectionLostError} If the connection has ended.
   * @throws {TypeError} If the data is not what the framing takes.
   */
  write(data: Written): Promise<void>;
  /** Writes several pieces, one after the other, as fast as the peer reads them. */
  writeAll(pieces: Iterable<Written> | AsyncIterable<Written>): Promise<void>;
  /** Ends the connection after what was written. `received` is not called any more. Idempotent. */
  close(): void;
  /** Ends the connection at once, whatever was written. `reason` is for `lost`. */
  abort(reason?: string): void;
}
