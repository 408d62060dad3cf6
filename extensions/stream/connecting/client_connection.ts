/**
 * A connection that this side has opened. It runs its handlers itself, with the same conversation that a
 * service's connections have.
 */
import type { StreamConnection } from "../calls/connection.ts";
import { Conversation, type Duplex } from "../conversation/conversation.ts";
import { ConnectionLostError, type StreamLoss } from "../conversation/loss.ts";
import type { StreamEvent } from "../conversation/stream_event.ts";
import { createReader, type FrameLimits } from "../framing/create_reader.ts";
import { encodeText, type FrameFormat, frameOf, type StreamData } from "../framing/frame.ts";

/** What a program does with its connection. Each may be async; they run one at a time. */
export interface AnyStreamHandlers {
  connected?(connection: StreamConnection<StreamData, object>): unknown;
  received?(connection: StreamConnection<StreamData, object>, data: StreamData): unknown;
  lost?(connection: StreamConnection<StreamData, object>, reason: StreamLoss): unknown;
}

/** Options of {@linkcode ClientConnection}. */
export interface ClientConnectionOptions extends FrameLimits {
  readonly duplex: Duplex;
  readonly format: FrameFormat;
  readonly handlers: AnyStreamHandlers;
  readonly peer: string;
  readonly host: string;
  readonly state: object;
  readonly maxBuffer: number;
  /** Milliseconds; 0 is for ever. */
  readonly idleTimeout: number;
  readonly signal: AbortSignal | undefined;
}

/** Milliseconds between two looks at a silent connection; fewer for short limits. */
const LOOK_INTERVAL = 1_000;
const LEAST_INTERVAL = 10;

/** A connection that this side has opened. */
export class ClientConnection implements StreamConnection<StreamData, object> {
  readonly state: object;
  readonly ended: Promise<StreamLoss>;
  readonly #options: ClientConnectionOptions;
  readonly #conversation: Conversation;
  readonly #end = Promise.withResolvers<StreamLoss>();
  #failure: { readonly error: unknown } | undefined;

  constructor(options: ClientConnectionOptions) {
    const { idleTimeout, signal } = options;
    this.#options = options;
    this.state = options.state;
    this.ended = this.#end.promise;
    const abort = () => this.abort(String(signal!.reason));
    const conversation = this.#conversation = new Conversation({
      ...options,
      reader: createReader(options.format, options),
      state: "",
      idleTimeout: idleTimeout === 0 ? Infinity : idleTimeout,
      run: (event, _conversation, data) => this.#run(event, data),
      onGone: ({ loss }) => {
        clearInterval(looking);
        signal?.removeEventListener("abort", abort);
        if (this.#failure === undefined) this.#end.resolve(loss!);
        else this.#end.reject(this.#failure.error);
      },
    });
    const interval = idleTimeout === 0 ? LOOK_INTERVAL : Math.min(LOOK_INTERVAL, idleTimeout / 4);
    const looking = setInterval(
      () => conversation.check(performance.now()),
      Math.max(LEAST_INTERVAL, interval),
    );
    conversation.start();
    signal?.addEventListener("abort", abort, { once: true });
    if (signal?.aborted) abort();
  }

  get id(): string {
    return this.#conversation.id;
  }

  get peer(): string {
    return this.#options.peer;
  }

  get host(): string {
    return this.#options.host;
  }

  async write(data: StreamData): Promise<void> {
    const { format } = this.#options;
    const frame = frameOf(data, format);
    if (this.#conversation.room < 0) throw new ConnectionLostError(this.id);
    const isOwn = typeof frame === "string" || frame !== data;
    this.#conversation.write(
      typeof frame === "string" ? encodeText(frame, format.encoding) : isOwn ? frame : frame.slice(),
    );
    if (this.#conversation.room === 0) await this.#conversation.writable();
    const { loss } = this.#conversation;
    if (loss !== undefined && loss.code !== "closed") throw new ConnectionLostError(this.id);
  }

  async writeAll(pieces: Iterable<StreamData> | AsyncIterable<StreamData>): Promise<void> {
    for await (const piece of pieces) await this.write(piece);
  }

  close(): void {
    this.#conversation.close("closed", "this side closed the connection");
  }

  abort(reason = "this side cut the connection"): void {
    this.#conversation.abort("aborted", reason);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.close();
    await this.#end.promise.catch(() => {});
  }

  #run(event: StreamEvent, data: StreamData | undefined): Promise<void> | undefined {
    const { handlers } = this.#options;
    switch (event) {
      case "connected":
        return handlers.connected && this.#guard(() => handlers.connected!(this));
      case "received":
        return handlers.received && this.#guard(() => handlers.received!(this, data!));
      case "lost":
        return handlers.lost && this.#guard(() => handlers.lost!(this, this.#conversation.loss!));
    }
  }

  /** Runs a handler. If it fails, the connection ends. Never rejects. */
  async #guard(handle: () => unknown): Promise<void> {
    try {
      await handle();
    } catch (error) {
      this.#failure ??= { error };
      this.#conversation.close("failed", `a handler failed: ${String(error)}`);
    }
  }
}
