/**
 * The values that a handler may return, and the response that each of them becomes.
 *
 * | returned | response |
 * |---|---|
 * | `Response` | this response; a body that is a stream is sent bit by bit |
 * | text | 200, `text/plain; charset=utf-8` |
 * | bytes | 200, `application/octet-stream` |
 * | `Blob`, `URLSearchParams`, `FormData` | 200, with their own content type |
 * | `null`, `undefined` | 204 |
 * | `[status, body]`, `[status, headers, body]` | that status; the body may be any of the other values |
 * | `ReadableStream` | 200, `application/octet-stream`, sent bit by bit |
 * | async iterable | 200, sent item by item, see below |
 * | any other value | 200, `application/json` |
 *
 * The items of an async iterable are server-sent events if the content type is `text/event-stream`, or if the
 * headers state no content type and the first item is neither text nor bytes. Otherwise the items are sent as
 * they are. So a response without a content type begins only when the first item is there.
 *
 * An array counts as a status with a body if it has two or three items and the first item is a whole number
 * from 200 to 599. If it has three items, the second item must also be an object. To send such an array as
 * JSON, return `Response.json(value)`, which never counts as a status.
 */
import { encodeJson, JSON_CONTENT_TYPE } from "../../../runtime/message/codec.ts";
import { BadResultError } from "../../../runtime/message/errors.ts";
import type { Reply } from "../../../runtime/message/reply.ts";
import { encodeResponseHead, type FlatHeaders, headerPairs } from "../request/head.ts";
import { forwardedHeaders } from "./forwarded_headers.ts";
import { asChunks, asEvents, bytesOf, isBytes, withFirst } from "./result_chunks.ts";
import { EVENT_STREAM } from "./server_sent_events.ts";

/** Encodes the result of a handler. */
export function encodeResult(result: unknown): Reply | Promise<Reply> {
  if (result instanceof Response) return encodeResponse(result);
  if (!isTuple(result)) return encodeBody(result, result === null || result === undefined ? 204 : 200, []);
  const [status] = result;
  const headers = result.length === 3 ? flatten(result[1]) : [];
  return encodeBody(result.at(-1), status, headers);
}

/**
 * Replaces the body of a result with the value that `change` makes of it.
 *
 * It leaves the body as it is if the status is not a success or has no body, or if the body is neither text
 * nor JSON.
 */
export async function mapBody(
  result: unknown,
  change: (body: unknown) => Promise<unknown>,
): Promise<unknown> {
  const [status, body] = isTuple(result) ? [result[0], result.at(-1)] : [200, result];
  const isOpaque = body instanceof Response || isBytes(body) || isAsyncIterable(body) || isWebBody(body);
  if (isOpaque || status >= 300 || BODILESS.has(status)) return result;
  const changed = await change(body);
  return isTuple(result) ? [...result.slice(0, -1), changed] : changed;
}

type Tuple = readonly [number, unknown] | readonly [number, HeadersInit, unknown];

function isTuple(result: unknown): result is Tuple {
  if (!Array.isArray(result) || result.length < 2 || result.length > 3) return false;
  const [status, headers] = result;
  return Number.isInteger(status) && status >= 200 && status <= 599 &&
    (result.length === 2 || (typeof headers === "object" && headers !== null));
}

/** An object of headers may have a list for a name, such as `set-cookie`, which then becomes several headers. */
function flatten(headers: HeadersInit): FlatHeaders {
  if (headers instanceof Headers || Symbol.iterator in headers) return flat(new Headers(headers));
  const all = new Headers();
  for (const [name, value] of Object.entries<unknown>(headers)) {
    for (const each of Array.isArray(value) ? value : [value]) all.append(name, each as string);
  }
  return flat(all);
}

/** Deno looks at all headers again for each step of an iterator, and only once for `forEach()`. */
function flat(headers: Headers): FlatHeaders {
  const all: string[] = [];
  headers.forEach((value, name) => all.push(name, value));
  return all;
}

const TEXT = "text/plain; charset=utf-8";
const BYTES = "application/octet-stream";

/** Statuses whose responses have no body. */
const BODILESS: ReadonlySet<number> = new Set([204, 205, 304]);

function encodeBody(body: unknown, status: number, headers: FlatHeaders): Reply | Promise<Reply> {
  const reply = (type: string, content: Pick<Reply, "body" | "chunks">): Reply => ({
    head: encodeResponseHead({
      status,
      headers: hasType(headers) ? headers : [...headers, "content-type", type],
    }),
    ...content,
  });
  if (body === undefined || body === null || BODILESS.has(status)) {
    discard(body);
    return { head: encodeResponseHead({ status, headers }), body: undefined };
  }
  if (typeof body === "string") return reply(TEXT, { body });
  if (body instanceof ArrayBuffer) return reply(BYTES, { body: new Uint8Array(body) });
  if (ArrayBuffer.isView(body)) return reply(BYTES, { body: bytesOf(body) });
  if (body instanceof ReadableStream) return reply(BYTES, { body: undefined, chunks: asChunks(body) });
  if (isAsyncIterable(body)) {
    const type = contentTypeOf(headers);
    if (type === undefined) return encodeItems(body, reply);
    return reply(type, {
      body: undefined,
      chunks: type.startsWith(EVENT_STREAM) ? asEvents(body) : asChunks(body),
    });
  }
  if (isWebBody(body)) {
    return encodeResponse(new Response(body, { status, headers: headerPairs(headers) }));
  }
  if (body instanceof Response) {
    throw new BadResultError(
      "Cannot send a Response as the body of a status: it has a status of its own. Return the Response alone",
    );
  }
  if (isIterator(body)) {
    throw new BadResultError(
      "Cannot send the items of an iterator that is not async: JSON has no such value. Return a list of " +
        "the items, or use an async iterator for a stream",
    );
  }
  return reply(JSON_CONTENT_TYPE, { body: encodeJson(body) });
}

/** Ends a stream or an async iterable that is not sent, because the status has no body. */
function discard(body: unknown): void {
  const ended = body instanceof ReadableStream
    ? body.cancel()
    : isAsyncIterable(body)
    ? body[Symbol.asyncIterator]().return?.()
    : undefined;
  // A handler that has not begun cannot fail, and a stream that is in use is ended by its reader.
  ended?.catch(() => {});
}

function contentTypeOf(headers: FlatHeaders): string | undefined {
  const index = headers.findIndex((name, index) => index % 2 === 0 && name.toLowerCase() === "content-type");
  return index === -1 ? undefined : headers[index + 1];
}

function hasType(headers: FlatHeaders): boolean {
  return headers.length > 0 && contentTypeOf(headers) !== undefined;
}

type MakeReply = (type: string, content: Pick<Reply, "body" | "chunks">) => Reply;

/** Encodes the items of an async iterable. The kind of the first item counts for all items. */
async function encodeItems(items: AsyncIterable<unknown>, reply: MakeReply): Promise<Reply> {
  const iterator = items[Symbol.asyncIterator]();
  const first = await iterator.next();
  const all: AsyncIterable<unknown> = { [Symbol.asyncIterator]: () => withFirst(first, iterator) };
  const isText = first.done || typeof first.value === "string";
  if (!isText && !isBytes(first.value)) {
    return reply(EVENT_STREAM, { body: undefined, chunks: asEvents(all) });
  }
  return reply(isText ? TEXT : BYTES, { body: undefined, chunks: asChunks(all) });
}

/**
 * Encodes a `Response`. It reads ahead as far as this costs no waiting: most responses are complete at once,
 * and then they need no stream.
 */
async function encodeResponse(response: Response): Promise<Reply> {
  const { status } = response;
  if (status === 0) throw unusable("it is Response.error(). Return a Response with a status");
  if (status < 200) throw unusable(`its status is ${status}, which no handler can answer with`);
  if (response.body?.locked) {
    throw unusable("its body has been read. Return a new Response, or a clone() that was made before");
  }
  const head = encodeResponseHead({ status, headers: headersOf(response) });
  if (response.body === null) return { head, body: undefined };
  const reader = response.body.getReader();
  const reads = [reader.read()];
  const first = await settledSoon(reads[0]!);
  if (first !== undefined) {
    if (first.done) return { head, body: undefined };
    reads.push(reader.read());
    if ((await settledSoon(reads[1]!))?.done) return { head, body: bytesOf(first.value) };
  }
  const chunks: AsyncIterable<Uint8Array> = {
    [Symbol.asyncIterator]: () => ({
      next: async () => {
        const { done, value } = await (reads.shift() ?? reader.read());
        return done ? { done, value: undefined } : { done, value };
      },
      return: async () => {
        await reader.cancel();
        return { done: true, value: undefined };
      },
    }),
  };
  return { head, body: undefined, chunks: asChunks(chunks) };
}

/** Only a response of `fetch` has a URL. */
function headersOf({ headers, url }: Response): FlatHeaders {
  return flatten(url === "" ? headers : forwardedHeaders(headers));
}

function unusable(why: string): BadResultError {
  return new BadResultError(`Cannot send the Response that the handler returned: ${why}`);
}

/** Turns of the microtask queue that it takes to read a body in memory. */
const SOON = 4;

async function settledSoon<T>(promise: Promise<T>): Promise<T | undefined> {
  let value: T | undefined;
  promise.then((settled) => value = settled, () => {});
  for (let turn = 0; turn < SOON && value === undefined; turn++) await undefined;
  return value;
}

function isAsyncIterable(value: unknown): value is AsyncIterable<unknown> {
  return typeof value === "object" && value !== null && Symbol.asyncIterator in value;
}

type WebBody = Blob | URLSearchParams | FormData;

function isWebBody(value: unknown): value is WebBody {
  return value instanceof Blob || value instanceof URLSearchParams || value instanceof FormData;
}

function isIterator(value: unknown): boolean {
  return typeof value === "object" && value !== null && Symbol.iterator in value && "next" in value;
}
