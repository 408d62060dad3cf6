/**
 * One connection, on the side that has the socket.
 *
 * Invariant: the handlers of a connection run one at a time: `connected` first, `received` once for each piece
 * of data, in the order in which the data came, and `lost` last and exactly once. Nothing is read while more
 * waits than {@linkcode READ_AHEAD}, and no handler begins while the peer has more to read than
 * {@linkcode HIGH_WATER}: so neither a peer that only sends nor one that never reads can fill the memory.
 *
 * What ends a connection sets `#loss`, and only the first cause counts. A polite end sends what was written,
 * says that no more will come, and waits a little for the peer to close, too: a socket that is closed while
 * data of its peer is unread would take back what it has sent. An abort does none of this.
 */
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";
import type { FrameFormat, FrameReader, StreamData } from "../framing/frame.ts";
import { OversizedFrame } from "../framing/frame.ts";
import type { StreamLoss, StreamLossCode } from "./loss.ts";
import { Outbox, type Sink } from "./outbox.ts";
import type { StreamEvent } from "./stream_event.ts";
import { atEndOfTurn } from "./turn.ts";

/** A connected socket. */
export interface Duplex extends Sink {
  /** Resolves with the number of bytes, or with null when the peer sends no more. */
  read(into: Uint8Array): Promise<number | null>;
  /** Tells the peer that no more will come. */
  closeWrite(): Promise<void>;
  close(): void;
}

/** Options of {@linkcode Conversation}. */
export interface ConversationOptions {
  readonly duplex: Duplex;
  /** What `reader` was made of. */
  readonly format: FrameFormat;
  readonly reader: FrameReader;
  /** Address of the peer, and of this side, in the form of `listen`. */
  readonly peer: string;
  readonly host: string;
  /** The first state, as JSON. */
  readonly state: string;
  /** Bytes that the peer may leave unread. */
  readonly maxBuffer: number;
  /** Milliseconds without traffic after which the connection ends; may be infinite. */
  readonly idleTimeout: number;
  /**
   * Runs a handler, and never rejects. Returns undefined if nobody handles the event.
   *
   * @param data The data of `received`, or the {@linkcode StreamLoss} of `lost` as JSON.
   */
  readonly run: (
    event: StreamEvent,
    conversation: Conversation,
    data: StreamData | undefined,
  ) => Promise<void> | undefined;
  /** Called once, after `lost`. */
  readonly onGone: (conversation: Conversation) => void;
}

/** Bytes that may wait for their handler before the peer is read no further. */
const READ_AHEAD = 64 * 1024;

/** Bytes that the peer may have to read before writers wait, and before the connection's next handler begins. */
const HIGH_WATER = 64 * 1024;

/** Most bytes that one read takes. A connection begins with little, because most connections are silent. */
const LARGEST_READ = 16 * 1024;
const SMALLEST_READ = 256;

/** Milliseconds that a peer has to close after this side has closed politely. */
const LINGER = 1_000;

/** Milliseconds in which a peer must read something of what it is sent before a polite close. */
const FLUSH_LIMIT = 10_000;
const STOP_FLUSH_LIMIT = 3_000;

/** A connection with its handlers. */
export class Conversation {
  readonly id: string = crypto.randomUUID();
  /** The state that the connection's calls share, as JSON. */
  state: string;
  /** The part of each call's head that stays the same. */
  readonly facts: string;
  readonly #options: ConversationOptions;
  readonly #outbox: Outbox;
  readonly #gone = Promise.withResolvers<void>();
  #buffer: Uint8Array<ArrayBuffer> = new Uint8Array(SMALLEST_READ);
  #activeAt = performance.now();
  /** Whether there was traffic since the last look at the clock. */
  #isActive = false;
  #reading = false;
  #running = false;
  #inputOver = false;
  #isEnded = false;
  #isForgetting = false;
  #isPumpSet = false;
  #loss: StreamLoss | undefined;
  /** How the connection will end when the running call has finished. */
  #closing: StreamLoss | undefined;
  #flushLimit = Infinity;
  #cancellation: Cancellation | undefined;
  #lingering: ReturnType<typeof setTimeout> | undefined;
  #socketClosed = false;
  #isLost = false;

  constructor(options: ConversationOptions) {
    this.#options = options;
    this.state = options.state;
    this.facts = `${this.id}${JSON.stringify([options.peer, options.host])}`;
    this.#outbox = new Outbox(
      options.duplex,
      () => this.#isActive = true,
      (error) => this.#break(error),
    );
  }

  get format(): FrameFormat {
    return this.#options.format;
  }

  /** Resolves after `lost`. */
  get gone(): Promise<void> {
    return this.#gone.promise;
  }

  /** Why the connection has ended; undefined as long as it has not. */
  get loss(): StreamLoss | undefined {
    return this.#loss;
  }

  /** Bytes that may be written before the writer has to wait; negative once nothing can be written. */
  get room(): number {
    return this.#loss !== undefined || this.#socketClosed
      ? -1
      : Math.max(0, this.#highWater - this.#outbox.length);
  }

  /** Cancels the running call. It is made when a call runs. */
  get cancellation(): Cancellation {
    return this.#cancellation ??= new Cancellation();
  }

  get #highWater(): number {
    return Math.min(HIGH_WATER, this.#options.maxBuffer);
  }

  /** Runs `connected`, and begins to read. */
  start(): void {
    this.#run("connected", undefined);
    this.#read();
  }

  /**
   * Writes bytes, or forgets them if the connection has ended.
   *
   * A writer that waits until there is room may write any number of bytes. One that does not wait loses the
   * connection when more is unread than the limit allows.
   */
  write(bytes: Uint8Array): void {
    if (this.#loss !== undefined) return;
    const { maxBuffer } = this.#options;
    if (this.#outbox.length > this.#highWater && this.#outbox.length + bytes.length > maxBuffer) {
      return this.abort("unread", `the peer left more than ${maxBuffer} bytes unread`);
    }
    this.#outbox.push(bytes);
  }

  /** Resolves when there is room to write, or when nothing can be written any more. */
  writable(): Promise<void> {
    return this.#outbox.drained(this.#highWater);
  }

  /** Ends the connection after what was written. Data that waits for its handler is forgotten. */
  close(code: StreamLossCode, message: string, flushLimit = FLUSH_LIMIT): void {
    if (this.#loss !== undefined) return;
    this.#loss = { code, message };
    this.#isForgetting = true;
    this.#flushLimit = flushLimit;
    this.#activeAt = performance.now();
    void this.#shutDown();
  }

  /** Ends the connection at once, and tells a running call to stop. */
  abort(code: StreamLossCode, message: string): void {
    this.#loss ??= { code, message };
    this.#isForgetting = true;
    this.#cut();
  }

  /** Takes no further data, lets the running call finish, and closes politely. Resolves after `lost`. */
  async finish(code: StreamLossCode, message: string): Promise<void> {
    this.#isForgetting = true;
    this.#flushLimit = Math.min(this.#flushLimit, STOP_FLUSH_LIMIT);
    this.#closing = { code, message };
    if (!this.#running) this.close(code, message, STOP_FLUSH_LIMIT);
    await this.gone;
  }

  /** Ends the connection if it has been silent for too long. */
  check(now: number): void {
    if (this.#isActive) {
      this.#isActive = false;
      this.#activeAt = now;
    }
    const silence = now - this.#activeAt;
    const { idleTimeout } = this.#options;
    if (this.#outbox.length > 0) {
      const limit = this.#closing === undefined && this.#loss === undefined
        ? idleTimeout
        : Math.min(this.#flushLimit, idleTimeout);
      if (silence > limit) this.abort("unread", `the peer has read nothing for ${Math.round(limit)} ms`);
    } else if (silence > idleTimeout && !this.#running && this.#loss === undefined) {
      this.close("idle", `nothing was sent or received for ${idleTimeout} ms`);
    }
  }

  /** Reads the next bytes, unless enough waits. Never rejects. */
  #read(): void {
    if (this.#reading || this.#inputOver || this.#socketClosed) return;
    if (!this.#isForgetting && this.#options.reader.waiting > READ_AHEAD) return;
    this.#reading = true;
    this.#options.duplex.read(this.#buffer).then(this.#onRead, this.#onReadError);
  }

  readonly #onRead = (length: number | null): void => {
    this.#reading = false;
    if (length === null) return this.#endOfInput();
    this.#isActive = true;
    if (!this.#isForgetting) {
      const buffer = this.#buffer;
      try {
        this.#options.reader.push(length === buffer.length ? buffer : buffer.subarray(0, length));
      } catch (error) {
        return this.#giveUp(error);
      }
      this.#resize(length);
      if (!this.#running) atEndOfTurn(this);
    }
    this.#read();
  };

  readonly #onReadError = (error: unknown): void => {
    this.#reading = false;
    this.#break(error);
  };

  /** A silent connection keeps little memory for its next read, and a busy one reads much at a time. */
  #resize(length: number): void {
    const size = this.#buffer.length;
    if (length === size && size < LARGEST_READ) this.#buffer = new Uint8Array(size * 4);
    else if (size > SMALLEST_READ && length < size / 16) this.#buffer = new Uint8Array(size / 4);
  }

  #endOfInput(): void {
    this.#inputOver = true;
    if (this.#socketClosed) return;
    if (this.#lingering !== undefined) return this.#closeSocket();
    this.#pump();
  }

  /** The connection is broken: what came is still handled, and nothing can be sent. */
  #break(error: unknown): void {
    if (this.#socketClosed) return;
    this.#inputOver = true;
    this.#loss ??= { code: "reset", message: `the connection broke: ${messageOf(error)}` };
    this.#cut();
  }

  #cut(): void {
    this.#inputOver = true;
    this.#outbox.end();
    // The call of `lost`, which may begin when the socket is closed, is not meant.
    this.#cancellation?.cancel();
    this.#closeSocket();
  }

  /** Runs what the bytes of this turn are for. */
  work(): void {
    this.#pump();
    this.#read();
  }

  /** Runs the handler of the next data, if no handler runs and the peer has read enough. */
  #pump(): void {
    if (this.#running) return;
    if (!this.#isForgetting && this.#outbox.length > this.#highWater) return this.#pumpLater();
    while (!this.#isForgetting) {
      const data = this.#next();
      if (data === undefined) break;
      if (this.#run("received", data)) return;
    }
    if (this.#loss === undefined) {
      if (this.#closing !== undefined) {
        this.close(this.#closing.code, this.#closing.message, this.#flushLimit);
      } else if (this.#inputOver) this.close("ended", "the peer closed the connection");
      return;
    }
    if (this.#socketClosed && !this.#isLost) {
      this.#isLost = true;
      if (!this.#run("lost", JSON.stringify(this.#loss))) this.#end();
    }
  }

  /** Ends a connection whose bytes cannot be read. */
  #giveUp(error: unknown): void {
    this.abort(error instanceof OversizedFrame ? "oversized" : "failed", messageOf(error));
  }

  #pumpLater(): void {
    if (this.#isPumpSet) return;
    this.#isPumpSet = true;
    void this.writable().then(() => {
      this.#isPumpSet = false;
      this.#pump();
    });
  }

  #next(): StreamData | undefined {
    try {
      return this.#options.reader.next();
    } catch (error) {
      this.#giveUp(error);
      return undefined;
    }
  }

  /** Runs a handler. Returns false if nobody handles the event. */
  #run(event: StreamEvent, data: StreamData | undefined): boolean {
    const running = this.#options.run(event, this, data);
    if (running === undefined) return false;
    this.#running = true;
    void running.then(event === "lost" ? this.#onLost : this.#onDone);
    return true;
  }

  readonly #onDone = (): void => {
    this.#running = false;
    this.#cancellation = undefined;
    this.#pump();
    this.#read();
  };

  readonly #onLost = (): void => this.#end();

  #end(): void {
    if (this.#isEnded) return;
    this.#isEnded = true;
    this.#options.onGone(this);
    this.#gone.resolve();
  }

  /** Sends what is left, says that no more will come, and waits for the peer to say so, too. Never rejects. */
  async #shutDown(): Promise<void> {
    await this.#outbox.drained(0);
    if (this.#socketClosed) return;
    try {
      await this.#options.duplex.closeWrite();
    } catch {
      // The peer has gone, or is about to be found gone.
    }
    if (this.#socketClosed) return;
    if (this.#inputOver) return this.#closeSocket();
    this.#lingering = setTimeout(() => this.#closeSocket(), LINGER);
    this.#read();
  }

  #closeSocket(): void {
    if (this.#socketClosed) return;
    this.#socketClosed = true;
    this.#inputOver = true;
    clearTimeout(this.#lingering);
    this.#outbox.end();
    try {
      this.#options.duplex.close();
    } catch {
      // It is closed already.
    }
    this.#pump();
  }
}

function messageOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
