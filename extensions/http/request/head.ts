import { BadResultError } from "../../../runtime/message/errors.ts";
import type { Payload } from "../../../runtime/service/entrypoint.ts";
import { makeId, REQUEST_ID } from "./request_id.ts";

/** Names and values of headers in turn. This form is the cheapest to send from one thread to another. */
export type FlatHeaders = readonly string[];

/** All that a thread receives of a request, except the body. */
export interface RequestHead {
  readonly method: string;
  readonly url: string;
  readonly headers: FlatHeaders;
  /** The variables of the rule, converted. */
  readonly params: Readonly<Record<string, string | number>>;
  /** Id of the request: the client's own, or one that was made. */
  readonly id: string;
}

/** A head as the main thread has it. */
export interface SentRequestHead extends Omit<RequestHead, "id"> {
  /** Id of the request; undefined if nobody has needed one so far. */
  readonly id: string | undefined;
}

/** All that the main thread receives of a response, except the body. */
export interface ResponseHead {
  readonly status: number;
  readonly headers: FlatHeaders;
}

/** Encodes a head as one text, with a line for each part. No part can contain a line break. */
export function encodeRequestHead({ method, url, id = "", params, headers }: SentRequestHead): string {
  const first = `${encodeParams(params)}\n${id}\n${method}\n${url}`;
  return headers.length === 0 ? first : `${first}\n${headers.join("\n")}`;
}

const NO_PARAMS = "{}";

function encodeParams(params: RequestHead["params"]): string {
  for (const _name in params) return JSON.stringify(params);
  return NO_PARAMS;
}

/** Decodes the head that came with the body of a call. Most handlers read only the variables of the rule. */
export function headOf(payload: Payload): RequestHead {
  return new EncodedRequestHead(payload);
}

/** Makes the id of a request that has none so far. */
export function nameRequest(payload: Payload): void {
  const text = payload.message as string;
  if (text[text.indexOf("\n") + 1] === "\n") makeId(payload);
}

class EncodedRequestHead implements RequestHead {
  readonly params: RequestHead["params"];
  readonly #payload: Payload;
  #lines: readonly string[] | undefined;
  #headers: FlatHeaders | undefined;

  constructor(payload: Payload) {
    const text = payload.message as string;
    const params = text.slice(0, text.indexOf("\n"));
    this.params = params === NO_PARAMS ? {} : JSON.parse(params);
    this.#payload = payload;
  }

  get id(): string {
    return this.#split[1] || makeId(this.#payload);
  }

  get method(): string {
    return this.#split[2]!;
  }

  get url(): string {
    return this.#split[3]!;
  }

  get headers(): FlatHeaders {
    return this.#headers ??= this.#split[1] === ""
      ? [...this.#split.slice(4), REQUEST_ID, this.id]
      : this.#split.slice(4);
  }

  get #split(): readonly string[] {
    return this.#lines ??= (this.#payload.message as string).split("\n");
  }
}

/** Most headers that a response may have: the time that Deno takes for them grows with their square. */
const MOST_HEADERS = 256;

/** Most letters that the head of a response may have. Few clients and proxies take more. */
const LONGEST_HEAD = 65_536;

/**
 * Encodes a head as one text, with a line for each part.
 *
 * @throws {BadResultError} If the head has too many headers or is too long.
 */
export function encodeResponseHead({ status, headers }: ResponseHead): string {
  if (headers.length === 0) return `${status}`;
  const text = `${status}\n${headers.join("\n")}`;
  const count = headers.length / 2;
  if (count > MOST_HEADERS || text.length > LONGEST_HEAD) {
    throw new BadResultError(
      `Cannot send a response: it has ${count} headers of ${text.length} letters together. ` +
        `Send ${MOST_HEADERS} headers and ${LONGEST_HEAD} letters at most`,
    );
  }
  return text;
}

/** Decodes a text of {@linkcode encodeResponseHead}. What it never gives becomes status 500. */
export function decodeResponseHead(text: unknown): ResponseHead {
  if (typeof text !== "string" || text.length > LONGEST_HEAD) return UNUSABLE;
  const [first, ...headers] = text.split("\n");
  const status = Number(first);
  const isUsable = Number.isInteger(status) && status >= 200 && status <= 599 &&
    headers.length <= 2 * MOST_HEADERS;
  return isUsable ? { status, headers } : UNUSABLE;
}

const UNUSABLE: ResponseHead = { status: 500, headers: [] };

/** Adds a header to the encoded head of a response, if the head has none of this name, and room for it. */
export function withHeader(head: string, name: string, value: string): string {
  const { headers } = decodeResponseHead(head);
  if (headerOf(headers, name) !== undefined) return head;
  const text = `${head}\n${name}\n${value}`;
  return headers.length < 2 * MOST_HEADERS && text.length <= LONGEST_HEAD ? text : head;
}

/** Returns the value of a header by its name in small letters; undefined if there is none. */
export function headerOf(headers: FlatHeaders, name: string): string | undefined {
  for (let index = 0; index < headers.length; index += 2) {
    if (headers[index] === name) return headers[index + 1];
  }
  return undefined;
}

/** Returns headers as the pairs that web standards take. */
export function headerPairs(headers: FlatHeaders): [string, string][] {
  const pairs: [string, string][] = [];
  for (let index = 0; index < headers.length; index += 2) pairs.push([headers[index]!, headers[index + 1]!]);
  return pairs;
}
