/**
 * A connection inside one call, in a thread.
 *
 * What a handler writes goes to the main thread with the outcome of its call, so a short handler costs one
 * message. A handler that goes on sends what it has written at the end of the turn. It may write as much as
 * the main thread has room for; after that, each write asks, and waits for the answer.
 *
 * Invariant: what a thread writes to a connection leaves it in order. It holds because everything that leaves
 * the thread in another way (a request about any connection) sends first what waits here.
 */
import { encodeJson } from "../../../runtime/message/codec.ts";
import type { Messenger } from "../../../runtime/message/messenger.ts";
import type { Body, Reply } from "../../../runtime/message/reply.ts";
import { ConnectionLostError } from "../conversation/loss.ts";
import { encodeText, type FrameFormat, frameOf, type StreamData } from "../framing/frame.ts";
import { type CallHead, type CallTail, decodeCallHead } from "./call_wire.ts";
import type { StreamConnection } from "./connection.ts";
import { type ConnectionMethod, CONNECTIONS_ADDRESS, GONE } from "./connection_requests.ts";

const DONE = Promise.resolve();

/** The connections whose calls go on and have something to send. */
let unsent: CallConnection[] = [];

/** Sends what the calls of this thread have written. */
export function sendWritten(): void {
  const connections = unsent;
  unsent = [];
  for (const connection of connections) connection.send();
}

/** A connection inside one call. */
export class CallConnection implements StreamConnection<StreamData, object> {
  readonly #head: CallHead;
  readonly #format: FrameFormat;
  readonly #messenger: Messenger;
  #room: number;
  #pieces: StreamData[] = [];
  #length = 0;
  #end = "";
  #reason = "";
  #state: object | undefined;
  #ends: readonly [peer: string, host: string] | undefined;
  #isWaiting = false;
  #isOver = false;
  /** Whether the call has its outcome. What is written later is sent by itself. */
  #isDone = false;

  constructor(head: string, format: FrameFormat, messenger: Messenger) {
    this.#head = decodeCallHead(head);
    this.#format = format;
    this.#messenger = messenger;
    this.#room = this.#head.room;
    this.#isOver = this.#room < 0;
  }

  get id(): string {
    return this.#head.id;
  }

  get peer(): string {
    return this.#addresses[0];
  }

  get host(): string {
    return this.#addresses[1];
  }

  get state(): object {
    return this.#state ??= JSON.parse(this.#head.state);
  }

  get #addresses(): readonly [string, string] {
    return this.#ends ??= JSON.parse(this.#head.ends);
  }

  write(data: StreamData): Promise<void> {
    let frame: StreamData;
    try {
      frame = frameOf(data, this.#format);
      if (this.#isOver) throw new ConnectionLostError(this.id);
    } catch (error) {
      return Promise.reject(error);
    }
    // The handler may use the memory again.
    this.#pieces.push(frame === data && typeof frame !== "string" ? frame.slice() : frame);
    this.#length += frame.length;
    if (this.#isDone || this.#length > this.#room) return this.#ask();
    this.#sendSoon();
    return DONE;
  }

  async writeAll(pieces: Iterable<StreamData> | AsyncIterable<StreamData>): Promise<void> {
    for await (const piece of pieces) await this.write(piece);
  }

  close(): void {
    this.#finish("close", "");
  }

  abort(reason = "the handler has cut the connection"): void {
    this.#finish("abort", reason);
  }

  /** Sends what waits. A failure shows in the next write. */
  send(): void {
    this.#isWaiting = false;
    if (this.#pieces.length > 0 || this.#end !== "") this.#ask().catch(() => {});
  }

  /**
   * Returns the reply of the call, with all that waits.
   *
   * @param failure Why the call has failed, which ends the connection.
   * @throws {TypeError} If the state is not JSON.
   */
  take(failure?: string): Body | Reply {
    this.#isDone = true;
    const state = this.#changedState(failure !== undefined);
    const body = this.#takeWritten();
    const [end, reason] = failure === undefined ? [this.#end, this.#reason] : ["failed", failure];
    this.#end = "";
    if (end === "" && state === "") return body;
    const head: CallTail = { state, end, reason };
    return { head, body };
  }

  #finish(end: string, reason: string): void {
    if (this.#isOver) return;
    this.#isOver = true;
    this.#end = end;
    this.#reason = reason;
    if (this.#isDone) this.#ask().catch(() => {});
    else this.#sendSoon();
  }

  #sendSoon(): void {
    if (this.#isWaiting) return;
    this.#isWaiting = true;
    if (unsent.push(this) === 1) setImmediate(sendWritten);
  }

  async #ask(): Promise<void> {
    const [end, reason] = [this.#end, this.#reason];
    this.#end = "";
    this.#room = 0;
    const answer = await this.#messenger.request({
      service: CONNECTIONS_ADDRESS,
      method: "write" satisfies ConnectionMethod,
      body: this.#takeWritten() ?? "",
      headers: { connection: this.id, end, reason },
    }, { timeout: Infinity });
    if (answer === GONE) {
      this.#isOver = true;
      if (end === "") throw new ConnectionLostError(this.id);
    } else this.#room = Number(answer);
  }

  #takeWritten(): Body {
    const pieces = this.#pieces;
    if (pieces.length === 0) return undefined;
    this.#pieces = [];
    this.#room -= this.#length;
    this.#length = 0;
    if (pieces.length === 1) return pieces[0];
    if (pieces.every((piece) => typeof piece === "string")) return pieces.join("");
    const bytes = pieces.map((piece) =>
      typeof piece === "string" ? encodeText(piece, this.#format.encoding) : piece
    );
    const joined = new Uint8Array(bytes.reduce((sum, { length }) => sum + length, 0));
    let at = 0;
    for (const piece of bytes) {
      joined.set(piece, at);
      at += piece.length;
    }
    return joined;
  }

  #changedState(hasFailed: boolean): string {
    if (this.#state === undefined) return "";
    let text: string;
    try {
      text = encodeJson(this.#state);
    } catch (error) {
      if (hasFailed) return "";
      throw new TypeError(`Cannot keep the state of the connection: ${(error as Error).message}`, {
        cause: error,
      });
    }
    return text === this.#head.state ? "" : text;
  }
}
