/**
 * One client, in the main thread.
 *
 * Invariant: the requests of a client run one at a time, in the order in which they came, and the client gets
 * the answer to each before the next begins. The requests that wait and the answers that wait both have a
 * limit. A client that exceeds a limit gets a close: 1009 for a message that is too large, 1008 for too many
 * requests, 1013 for a client that does not read. Deno 2.9 has no way to cut a connection. So the close waits
 * behind the data that the client has not read, and the socket sends nothing after the close.
 *
 * A client counts as gone when its connection has closed, or when it has taken too long to open the
 * connection or to answer the close. The time limit is needed because the opening and the answer may never
 * come: if a connection is reset while Deno takes it over, Deno reports nothing at all.
 */
import { Buffer } from "node:buffer";
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";
import type { Receiver } from "../hub/hub.ts";
import { decodeEnvelope, encodeEvent, encodeMalformed, encodeMethodNotFound } from "../wire.ts";

/** Limits for one client. */
export interface SocketLimits {
  /** Bytes that a message may have. */
  readonly maxMessage: number;
  /** Requests that may wait. */
  readonly maxQueue: number;
  /** Bytes that may wait, in each direction. */
  readonly maxBuffer: number;
}

/** A request that runs. */
export interface SocketRequest {
  readonly socket: Socket;
  /** The whole message. */
  readonly text: string;
  readonly correlationId: string;
  readonly cancellation: Cancellation;
}

/** Finds the handler of a method. */
export interface MethodTable {
  find(method: unknown): { handle(request: SocketRequest): Promise<string> } | undefined;
}

/** Events that a socket reports to its server. */
export interface SocketEvents {
  readonly onOpen: (socket: Socket) => void;
  readonly onClose: (socket: Socket) => void;
  /** The client has exceeded a limit, and the socket sends it away. */
  readonly onRefused: (socket: Socket, reason: string) => void;
}

/** Options of {@linkcode Socket}. */
export interface SocketOptions extends SocketLimits, SocketEvents {
  /** The request that opened the connection. */
  readonly request: { readonly url: string; readonly headers: readonly string[] };
  readonly methods: MethodTable;
}

/** Milliseconds that a connection has to open, and that a client has to answer a close. */
const SETTLE_LIMIT = 5_000;

/** A connected client. */
export class Socket implements Receiver {
  readonly id = crypto.randomUUID();
  readonly request: SocketOptions["request"];
  /** The state that the client's calls share, as JSON. */
  state = "{}";
  readonly #socket: WebSocket;
  readonly #options: SocketOptions;
  readonly #queue: string[] = [];
  readonly #closed = Promise.withResolvers<void>();
  #queued = 0;
  #running: { readonly cancellation: Cancellation; readonly answered: Promise<void> } | undefined;
  #finishing = false;
  #leaving = false;
  #settling: ReturnType<typeof setTimeout> | undefined;

  constructor(socket: WebSocket, options: SocketOptions) {
    this.#socket = socket;
    this.#options = options;
    this.request = options.request;
    socket.binaryType = "arraybuffer";
    this.#settle();
    socket.onopen = () => {
      clearTimeout(this.#settling);
      if (this.#leaving) return socket.close();
      options.onOpen(this);
      this.send(encodeEvent("connected", { socket_id: this.id }));
    };
    socket.onmessage = ({ data }) => this.#receive(data);
    socket.onclose = () => this.#left();
    // After each error comes a close, and `onclose` handles it.
    socket.onerror = () => {};
  }

  /** Resolves when the client is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Sends a frame, unless the client is gone or the connection is closing. */
  send(frame: string): void {
    if (this.#leaving || this.#socket.readyState !== WebSocket.OPEN) return;
    const { maxBuffer } = this.#options;
    if (this.#socket.bufferedAmount > maxBuffer) {
      this.#refuse(1013, `the client left more than ${maxBuffer} bytes unread`);
    } else this.#socket.send(frame);
  }

  /**
   * Takes no further requests and forgets the requests that wait. Resolves when the running request has its
   * answer.
   */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#forgetQueue();
    await this.#running?.answered;
  }

  /** Begins to close the connection. {@linkcode Socket.closed} resolves when the client is gone. */
  close(code: number, reason: string): void {
    if (this.#leaving) return;
    this.#leaving = true;
    this.#forgetQueue();
    this.#socket.close(code, reason);
    this.#settle();
  }

  #receive(data: string | ArrayBuffer): void {
    if (this.#finishing || this.#leaving) return;
    const { maxMessage, maxQueue, maxBuffer } = this.#options;
    const bytes = typeof data === "string" ? Buffer.byteLength(data) : data.byteLength;
    if (bytes > maxMessage) {
      return this.#refuse(1009, `a message has ${bytes} bytes, and the limit is ${maxMessage}`);
    }
    if (this.#queue.length >= maxQueue || this.#queued > maxBuffer) {
      return this.#refuse(1008, `${this.#queue.length} requests of the client wait already`);
    }
    const text = typeof data === "string" ? data : UTF8.decode(data);
    this.#queue.push(text);
    this.#queued += text.length;
    if (this.#running === undefined) void this.#work();
  }

  async #work(): Promise<void> {
    for (let text = this.#queue.shift(); text !== undefined; text = this.#queue.shift()) {
      this.#queued -= text.length;
      const cancellation = new Cancellation();
      const { promise: answered, resolve } = Promise.withResolvers<void>();
      this.#running = { cancellation, answered };
      this.send(await this.#answer(text, cancellation));
      this.#running = undefined;
      resolve();
    }
  }

  #answer(text: string, cancellation: Cancellation): string | Promise<string> {
    const envelope = decodeEnvelope(text);
    if (envelope === undefined) return encodeMalformed();
    const { method, correlationId } = envelope;
    const found = this.#options.methods.find(method);
    if (found === undefined) return encodeMethodNotFound(correlationId);
    return found.handle({ socket: this, text, correlationId, cancellation });
  }

  #refuse(code: number, reason: string): void {
    this.#options.onRefused(this, reason);
    this.close(code, reason);
    this.#running?.cancellation.cancel();
  }

  #settle(): void {
    clearTimeout(this.#settling);
    this.#settling = setTimeout(() => this.#left(), SETTLE_LIMIT);
  }

  #left(): void {
    clearTimeout(this.#settling);
    this.#leaving = true;
    this.#forgetQueue();
    this.#running?.cancellation.cancel();
    this.#options.onClose(this);
    this.#closed.resolve();
  }

  #forgetQueue(): void {
    this.#queue.length = 0;
    this.#queued = 0;
  }
}

/**
 * Decodes binary messages. It replaces bytes that are not UTF-8, so such a message is usually not JSON, and
 * the answer says so.
 */
const UTF8 = new TextDecoder();
