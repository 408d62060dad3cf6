import { Buffer } from "node:buffer";
import type { Body } from "../../../runtime/message/reply.ts";
import type { ReplyStream } from "../../../runtime/message/reply_stream.ts";
import { type FlatHeaders, headerOf, type ResponseHead } from "../request/head.ts";
import { EVENT_STREAM } from "./server_sent_events.ts";
import type { SlowClients } from "../clients/slow_clients.ts";

/** The response to a request; `bytes` is how many its body had once it is over. */
export interface OutgoingResponse {
  readonly head: ResponseHead;
  readonly body: Body | ReadableStream<Uint8Array>;
  readonly bytes: number | Promise<number>;
  /** In place of all else: what takes the connection over. */
  readonly upgraded?: Response;
}

/** A response that a handler goes on producing. */
export interface StreamedResponse extends OutgoingResponse {
  readonly bytes: Promise<number>;
  /**
   * Tells the handler that its container stops. Server-sent events end with the next one, since their readers
   * come back by themselves; other streams end when the handler ends them.
   */
  stop(): void;
}

/** A complete body of more bytes is held for its client, and given up with it. */
export const LARGE_BODY = 262_144;

/** Bytes, or letters, of a large body that go to the connection at a time. */
const PIECE = 65_536;

/** The response to a reply that is complete. */
export function completeResponse(head: ResponseHead, body: Body): OutgoingResponse {
  const bytes = body === undefined ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
  return { head, body, bytes };
}

/**
 * A complete response in pieces: one goes to the connection when the client has taken the former.
 *
 * Until the last one has gone, all of the body is in memory, and counts.
 */
export function piecewise({ head, body, bytes }: OutgoingResponse, clients: SlowClients): OutgoingResponse {
  let rest: Text | Bytes | undefined = typeof body === "string"
    ? new Text(body)
    : new Bytes(body as Uint8Array);
  const headers = [...withoutLength(head.headers), "content-length", String(bytes)];
  const held = typeof body === "string" ? memoryOf(body, bytes as number) : bytes as number;
  const { promise, resolve } = Promise.withResolvers<number>();
  let sent = 0;
  const end = () => {
    clients.release(wait);
    rest = undefined;
    resolve(sent);
  };
  let fail: (error: Error) => void;
  const wait = clients.prepare(() => {
    end();
    fail(new BrokenStream("The client did not take it"));
  });
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      fail = (error) => controller.error(error);
    },
    pull(controller) {
      const piece = rest?.next();
      if (piece === undefined) {
        end();
        controller.close();
        return;
      }
      sent += piece.length;
      clients.hold(wait, held);
      controller.enqueue(piece);
    },
    cancel: end,
  }, { highWaterMark: 0 });
  clients.hold(wait, held);
  return { head: { ...head, headers }, body: stream, bytes: promise };
}

/** The response to a `HEAD` of what would be a stream: no body, and nothing said of a length that nobody knows. */
export function streamlessResponse(head: ResponseHead): OutgoingResponse {
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  return { head, body, bytes: 0 };
}

/** Bytes, given in pieces that are copies: the connection would keep all of them for as long as it keeps a view. */
class Bytes {
  readonly #all: Uint8Array;
  #at = 0;

  constructor(all: Uint8Array) {
    this.#all = all;
  }

  next(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#at >= this.#all.length) return undefined;
    return new Uint8Array(this.#all.subarray(this.#at, this.#at += PIECE));
  }
}

/** Text, encoded in pieces: to encode it as a whole would have it in memory twice. */
class Text {
  readonly #all: string;
  #at = 0;

  constructor(all: string) {
    this.#all = all;
  }

  next(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#at >= this.#all.length) return undefined;
    let end = this.#at + PIECE;
    // The halves of a letter stay together.
    if (HIGH_SURROGATE.test(this.#all.charAt(end - 1))) end++;
    return ENCODER.encode(this.#all.slice(this.#at, this.#at = end));
  }
}

const HIGH_SURROGATE = /[\uD800-\uDBFF]/;

/** Letters beyond Latin make all of a string take two bytes for each. */
function memoryOf(text: string, bytes: number): number {
  return bytes === text.length ? bytes : Math.max(bytes, 2 * text.length);
}

/**
 * The response to a reply that comes bit by bit.
 *
 * A chunk is asked for when the connection can take it; when the client leaves or stands still for too long, the
 * handler's iterator ends.
 */
export function streamedResponse(
  head: ResponseHead,
  stream: ReplyStream,
  clients: SlowClients,
): StreamedResponse {
  const { promise, resolve } = Promise.withResolvers<number>();
  const isEvents = headerOf(head.headers, "content-type")?.startsWith(EVENT_STREAM) === true;
  let bytes = 0;
  let stopping = false;
  let fail: (error: Error) => void;
  const wait = clients.prepare(() => {
    stream.cancel();
    resolve(bytes);
    fail(new BrokenStream("The client did not take it"));
  });
  const body = new ReadableStream<Uint8Array>({
    start(controller) {
      fail = (error) => controller.error(error);
    },
    async pull(controller) {
      clients.release(wait);
      try {
        const chunk = await stream.next();
        if (chunk === undefined) {
          resolve(bytes);
          controller.close();
          return;
        }
        const encoded = typeof chunk === "string" ? ENCODER.encode(chunk) : chunk;
        bytes += encoded.length;
        controller.enqueue(encoded);
        if (stopping && isEvents) {
          stream.cancel();
          resolve(bytes);
          controller.close();
        } else clients.hold(wait, encoded.length);
      } catch (error) {
        resolve(bytes);
        controller.error(new BrokenStream((error as Error).message));
      }
    },
    cancel() {
      clients.release(wait);
      resolve(bytes);
      stream.cancel();
    },
  }, { highWaterMark: 0 });
  return {
    head,
    body,
    bytes: promise,
    stop() {
      stopping = true;
      stream.warn();
    },
  };
}

/** What cuts a response short whose handler failed, or whose client did not read. */
export class BrokenStream extends Error {}

const ENCODER = new TextEncoder();

function withoutLength(headers: FlatHeaders): FlatHeaders {
  return headers.filter((_, index) => headers[index - index % 2]!.toLowerCase() !== "content-length");
}
