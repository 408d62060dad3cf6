import { Buffer } from "node:buffer";
import type { Body } from "../../../runtime/message/reply.ts";
import type { ReplyStream } from "../../../runtime/message/reply_stream.ts";
import { type FlatHeaders, headerOf, type ResponseHead } from "../request/head.ts";
import { EVENT_STREAM } from "./server_sent_events.ts";
import type { SlowClients } from "../clients/slow_clients.ts";

/** What has been sent of a body. */
export interface SentBody {
  readonly bytes: number;
  /** Whether there was more: the client has left, does not read, or the handler has failed. */
  readonly isCut: boolean;
}

/** The response to a request. */
export interface OutgoingResponse {
  readonly head: ResponseHead;
  readonly body: Body | ReadableStream<Uint8Array>;
  /** Number of bytes of a complete body; for another, what has been sent of it when the response is over. */
  readonly bytes: number | Promise<SentBody>;
  /** The response that takes the connection over. If there is one, the server sends nothing else. */
  readonly upgraded?: Response;
}

/** A response that a handler goes on producing. */
export interface StreamedResponse extends OutgoingResponse {
  readonly bytes: Promise<SentBody>;
  /**
   * Tells the handler that its container stops. A stream of server-sent events ends with the next event,
   * since its readers come back by themselves. Another stream ends when the handler ends it.
   */
  stop(): void;
}

/** Bytes: a complete body that is larger is held for its client, and dropped if the client is given up. */
export const LARGE_BODY = 262_144;

/** Bytes, or letters of a text, that go to the connection at a time when a body is large. */
const PIECE = 65_536;

/** Makes the response to a reply that is complete. */
export function completeResponse(head: ResponseHead, body: Body): OutgoingResponse {
  const bytes = body === undefined ? 0 : typeof body === "string" ? Buffer.byteLength(body) : body.length;
  return { head, body, bytes };
}

/** Makes a response with a text, which is for people. */
export function plainResponse(
  status: number,
  text: string | undefined,
  headers: readonly (readonly [string, string])[] = [],
): OutgoingResponse {
  const type = text === undefined ? [] : ["content-type", "text/plain; charset=utf-8"];
  return completeResponse({ status, headers: [...headers.flat(), ...type] }, text);
}

/**
 * Sends a complete response in pieces. A piece goes to the connection when the client has taken the one
 * before.
 *
 * Until the last piece has gone, the whole body is in memory, and counts as a whole.
 */
export function piecewise({ head, body, bytes }: OutgoingResponse, clients: SlowClients): OutgoingResponse {
  let rest: Text | Bytes | undefined = typeof body === "string"
    ? new Text(body)
    : new Bytes(body as Uint8Array);
  const headers = [...withoutLength(head.headers), "content-length", String(bytes)];
  const held = typeof body === "string" ? memoryOf(body, bytes as number) : bytes as number;
  const { promise, resolve } = Promise.withResolvers<SentBody>();
  let sent = 0;
  const end = (isCut: boolean) => {
    clients.release(wait);
    rest = undefined;
    resolve({ bytes: sent, isCut });
  };
  let fail: (error: Error) => void;
  const wait = clients.prepare(() => {
    end(true);
    fail(new BrokenStream("Cannot send the response: the client does not read it"));
  });
  const stream = new ReadableStream<Uint8Array>({
    start(controller) {
      fail = (error) => controller.error(error);
    },
    pull(controller) {
      const piece = rest?.next();
      if (piece === undefined) {
        end(false);
        controller.close();
        return;
      }
      sent += piece.length;
      clients.hold(wait, held);
      controller.enqueue(piece);
    },
    cancel: () => end(true),
  }, { highWaterMark: 0 });
  clients.hold(wait, held);
  return { head: { ...head, headers }, body: stream, bytes: promise };
}

/** Makes the response to a `HEAD` of a stream. It has no body, and states no length, which nobody knows. */
export function streamlessResponse(head: ResponseHead): OutgoingResponse {
  const body = new ReadableStream<Uint8Array>({ start: (controller) => controller.close() });
  return { head, body, bytes: 0 };
}

/**
 * Gives bytes in pieces. The pieces are copies: with a view, the connection would keep all bytes in memory
 * for as long as it keeps the view.
 */
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

/** Encodes a text in pieces. If it were encoded as a whole, the text would be in memory twice. */
class Text {
  readonly #all: string;
  #at = 0;

  constructor(all: string) {
    this.#all = all;
  }

  next(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#at >= this.#all.length) return undefined;
    let end = this.#at + PIECE;
    // The two halves of a letter must stay together.
    if (HIGH_SURROGATE.test(this.#all.charAt(end - 1))) end++;
    return ENCODER.encode(this.#all.slice(this.#at, this.#at = end));
  }
}

const HIGH_SURROGATE = /[\uD800-\uDBFF]/;

/**
 * Returns the bytes that a text takes in memory. Letters beyond Latin make every letter of a string take two
 * bytes.
 *
 * @param bytes Bytes of the encoded text.
 */
function memoryOf(text: string, bytes: number): number {
  return bytes === text.length ? bytes : Math.max(bytes, 2 * text.length);
}

/**
 * Makes the response to a reply that comes bit by bit.
 *
 * It asks for a chunk when the connection can take one. When the client leaves or stands still for too long,
 * it ends the handler's iterator.
 */
export function streamedResponse(
  head: ResponseHead,
  stream: ReplyStream,
  clients: SlowClients,
): StreamedResponse {
  const { promise, resolve } = Promise.withResolvers<SentBody>();
  const isEvents = headerOf(head.headers, "content-type")?.startsWith(EVENT_STREAM) === true;
  let bytes = 0;
  let stopping = false;
  let fail: (error: Error) => void;
  const end = (isCut: boolean) => resolve({ bytes, isCut });
  const wait = clients.prepare(() => {
    stream.cancel();
    end(true);
    fail(new BrokenStream("Cannot send the response: the client does not read it"));
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
          end(false);
          controller.close();
          return;
        }
        const encoded = typeof chunk === "string" ? ENCODER.encode(chunk) : chunk;
        bytes += encoded.length;
        controller.enqueue(encoded);
        if (stopping && isEvents) {
          stream.cancel();
          end(false);
          controller.close();
        } else clients.hold(wait, encoded.length);
      } catch (error) {
        end(true);
        controller.error(new BrokenStream((error as Error).message));
      }
    },
    cancel() {
      clients.release(wait);
      end(true);
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

/** The error that cuts a response short because its handler failed or its client did not read. */
export class BrokenStream extends Error {}

const ENCODER = new TextEncoder();

function withoutLength(headers: FlatHeaders): FlatHeaders {
  return headers.filter((_, index) => headers[index - index % 2]!.toLowerCase() !== "content-length");
}
