/**
 * One client, in the main thread.
 *
 * Invariant: of its requests one runs at a time, in the order in which they came, and each is answered before the
 * next begins; what waits before and behind that is bounded. What is too much is answered with a close: 1009 for
 * a message, 1008 for requests, 1013 for a client that does not read. Deno 2.9 has no word to cut a connection,
 * so the close waits behind what the client has not read, and nothing is sent after it.
 *
 * It counts as gone when its connection is, or when it has taken too long to open or to answer the close: neither
 * need ever come, and of a connection that is reset while it is taken over Deno tells nothing at all.
 */
import { Buffer } from "node:buffer";
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";
import type { Receiver } from "../hub/hub.ts";
import { decodeEnvelope, encodeEvent, encodeMalformed, encodeMethodNotFound } from "../wire.ts";

/** What is allowed to one client. */
export interface SocketLimits {
  /** Bytes that a message may have. */
  readonly maxMessage: number;
  /** Requests that may wait. */
  readonly maxQueue: number;
  /** Bytes that may wait, each way. */
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

/** Finds what a method leads to. */
export interface MethodTable {
  find(method: unknown): { handle(request: SocketRequest): Promise<string> } | undefined;
}

/** What a socket tells its server. */
export interface SocketEvents {
  readonly onOpen: (socket: Socket) => void;
  readonly onClose: (socket: Socket) => void;
  /** The client has gone too far and is sent away. */
  readonly onRefused: (socket: Socket, reason: string) => void;
}

/** What a socket is made of. */
export interface SocketOptions extends SocketLimits, SocketEvents {
  /** The request that opened it. */
  readonly request: { readonly url: string; readonly headers: readonly string[] };
  readonly methods: MethodTable;
}

/** Milliseconds that a connection has to open, and a client to answer a close. */
const SETTLE_LIMIT = 5_000;

/** A connected client. */
export class Socket implements Receiver {
  readonly id = crypto.randomUUID();
  readonly request: SocketOptions["request"];
  /** What its calls keep for each other, as JSON. */
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
    // What has gone wrong with it is the close that follows.
    socket.onerror = () => {};
  }

  /** Resolves when the client is gone. */
  get closed(): Promise<void> {
    return this.#closed.promise;
  }

  /** Sends a frame, unless the client is gone or going. */
  send(frame: string): void {
    if (this.#leaving || this.#socket.readyState !== WebSocket.OPEN) return;
    const { maxBuffer } = this.#options;
    if (this.#socket.bufferedAmount > maxBuffer) {
      this.#refuse(1013, `it has not read ${maxBuffer} bytes`);
    } else this.#socket.send(frame);
  }

  /** Takes no further requests, forgets those that wait, and resolves when the one that runs has been answered. */
  async finish(): Promise<void> {
    this.#finishing = true;
    this.#forgetQueue();
    await this.#running?.answered;
  }

  /** Begins to close the connection; {@linkcode Socket.closed} is its end. */
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
      return this.#refuse(1009, `a message may have ${maxMessage} bytes, and has ${bytes}`);
    }
    if (this.#queue.length >= maxQueue || this.#queued > maxBuffer) {
      return this.#refuse(1008, `${this.#queue.length} of its requests wait`);
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

/** What is not UTF-8 is not JSON either, which the request is answered with. */
const UTF8 = new TextDecoder();
