/**
 * An answer on the control channel, as it is written and read.
 *
 * A long answer travels in pieces, so that no message is long. Its headers say which instance it comes from, and
 * which of the instance's answers to this request it is. So a reader knows an answer that comes twice.
 */
import { Buffer } from "node:buffer";
import { JSON_CONTENT_TYPE, UTF8 } from "../../runtime/message/codec.ts";
import { isRecord, type PlainRecord } from "../../runtime/message/plain.ts";
import type { Delivery, Message } from "../../runtime/message/transport.ts";

/** What one instance answers. */
export interface ControlAnswer {
  /** Id of the instance. */
  readonly instance: string;
  /** The number of the answer among those of the instance to the same request, from 0. */
  readonly sequence: number;
  /** What was asked for; undefined if the instance could not answer. */
  readonly answer: PlainRecord | undefined;
  /** Why the instance could not answer; undefined if it could. */
  readonly error: string | undefined;
}

/** Bytes of a piece. */
const PIECE = 64 * 1024;

/** Most pieces of an answer: 8 MiB. */
const MOST_PIECES = 128;

/** Most bytes that a reader keeps of answers whose other pieces have not come. */
const MOST_KEPT = 64 * 2 ** 20;

/** Milliseconds after which a client that has not taken an answer is not there any more. */
const LIFETIME = 60_000;

const HEADERS = {
  instance: "x-enoki-instance",
  sequence: "x-enoki-sequence",
  piece: "x-enoki-piece",
  pieces: "x-enoki-pieces",
} as const;

const INSTANCE = /^[\w-]{1,64}$/;

/** Makes the messages for an answer. An answer that is too long becomes an error. */
export function answerMessages(
  { instance, sequence, answer, error }: ControlAnswer,
  { replyTo, correlationId }: { readonly replyTo: string; readonly correlationId: string },
): readonly Message[] {
  let body = encode(error === undefined ? { answer: answer ?? {} } : { error });
  if (body.length > PIECE * MOST_PIECES) {
    body = encode({ error: `The answer has ${body.length} bytes, more than ${PIECE * MOST_PIECES}` });
  }
  const pieces = Math.ceil(body.length / PIECE);
  return Array.from({ length: pieces }, (_, piece) => ({
    exchange: "",
    routingKey: replyTo,
    body: body.subarray(piece * PIECE, (piece + 1) * PIECE),
    mandatory: true,
    properties: {
      contentType: JSON_CONTENT_TYPE,
      deliveryMode: 1,
      correlationId,
      expiration: String(LIFETIME),
      headers: {
        [HEADERS.instance]: instance,
        [HEADERS.sequence]: sequence,
        [HEADERS.piece]: piece,
        [HEADERS.pieces]: pieces,
      },
    },
  }));
}

function encode(value: PlainRecord): Uint8Array<ArrayBuffer> {
  return new TextEncoder().encode(JSON.stringify(value));
}

/** Puts the answers to one request together. */
export class AnswerReader {
  readonly #pieces = new Map<string, (Uint8Array | undefined)[]>();
  /** The number of the last answer of each instance. An instance sends one after the other. */
  readonly #last = new Map<string, number>();
  #kept = 0;

  /** Reads a message. Gives an answer once it is complete, and only once. What is no answer is left out. */
  read({ body, properties: { headers = {} } }: Delivery): ControlAnswer | undefined {
    const { [HEADERS.instance]: instance, [HEADERS.sequence]: sequence } = headers;
    const { [HEADERS.piece]: piece, [HEADERS.pieces]: pieces } = headers;
    if (typeof instance !== "string" || !INSTANCE.test(instance)) return undefined;
    if (!isCount(sequence) || !isCount(piece) || !isCount(pieces)) return undefined;
    if (pieces > MOST_PIECES || piece >= pieces || body.length > PIECE) return undefined;
    if (sequence <= (this.#last.get(instance) ?? -1)) return undefined;
    const whole = this.#complete(`${instance}/${sequence}`, body, piece, pieces);
    if (whole === undefined) return undefined;
    this.#last.set(instance, sequence);
    return { instance, sequence, ...decode(whole) };
  }

  #complete(key: string, body: Uint8Array, piece: number, pieces: number): Uint8Array | undefined {
    if (pieces === 1) return body;
    const known = this.#pieces.get(key) ?? new Array<Uint8Array | undefined>(pieces).fill(undefined);
    if (known.length !== pieces || known[piece] !== undefined) return undefined;
    if (this.#kept + body.length > MOST_KEPT) return undefined;
    this.#kept += body.length;
    known[piece] = body.slice();
    this.#pieces.set(key, known);
    if (known.includes(undefined)) return undefined;
    this.#pieces.delete(key);
    const whole = Buffer.concat(known as Uint8Array[]);
    this.#kept -= whole.length;
    return whole;
  }
}

function decode(body: Uint8Array): Pick<ControlAnswer, "answer" | "error"> {
  try {
    const value: unknown = JSON.parse(UTF8.decode(body));
    if (isRecord(value) && isRecord(value["answer"])) {
      return { answer: value["answer"] as PlainRecord, error: undefined };
    }
    if (isRecord(value) && typeof value["error"] === "string") {
      return { answer: undefined, error: value["error"].slice(0, MOST_ERROR) };
    }
  } catch {
    // It is told below, as any other answer that makes no sense.
  }
  return { answer: undefined, error: "The answer cannot be read" };
}

/** Characters of an error that are kept. */
const MOST_ERROR = 1_000;

function isCount(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}
