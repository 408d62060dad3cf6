/**
 * What a handler may return, and the response it becomes.
 *
 * | returned | response |
 * |---|---|
 * | `Response` | as it is; a body that is a stream is sent bit by bit |
 * | text | 200, `text/plain; charset=utf-8` |
 * | bytes | 200, `application/octet-stream` |
 * | `Blob`, `URLSearchParams`, `FormData` | 200, with their own content type |
 * | `null`, `undefined` | 204 |
 * | `[status, body]`, `[status, headers, body]` | that status; the body is any of the others |
 * | `ReadableStream` | 200, `application/octet-stream`, sent bit by bit |
 * | async iterable | 200, sent item by item, see below |
 * | any other value | 200, `application/json` |
 *
 * The items of an async iterable are server-sent events if the headers say `text/event-stream`, or if there are
 * no headers that say anything and the first item is neither text nor bytes. Else they are sent as they are. So
 * without a content type the response begins with its first item.
 *
 * An array is taken for a status with a body if it has two or three items, the first of which is a whole number
 * from 200 to 599 and, of three, the second is an object. `Response.json(value)` is never mistaken.
 */
import { encodeJson, JSON_CONTENT_TYPE } from "../../../runtime/message/codec.ts";
import { BadResultError } from "../../../runtime/message/errors.ts";
import type { Reply } from "../../../runtime/message/reply.ts";
import { encodeResponseHead, type FlatHeaders, headerPairs } from "../request/head.ts";
import { asChunks, asEvents, bytesOf, isBytes, withFirst } from "./result_chunks.ts";
import { EVENT_STREAM } from "./server_sent_events.ts";

/** Encodes what a handler returned. */
export function encodeResult(result: unknown): Reply | Promise<Reply> {
  if (result instanceof Response) return encodeResponse(result);
  if (!isTuple(result)) return encodeBody(result, result === null || result === undefined ? 204 : 200, []);
  const [status] = result;
  const headers = result.length === 3 ? flatten(result[1]) : [];
  return encodeBody(result.at(-1), status, headers);
}

/**
 * Puts what `change` makes of the body in its place.
 *
 * It is left alone with a status other than success, or one without a body, and where it is no text or JSON.
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

function flatten(headers: HeadersInit): FlatHeaders {
  return [...new Headers(headers)].flat();
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
      "Cannot send a Response as the body of a status: it has one of its own. Return it alone",
    );
  }
  if (isIterator(body)) {
    throw new BadResultError(
      "Cannot send the items of an iterator that is not async: JSON has no such value. Return a list of them, or " +
        "use an async one for a stream",
    );
  }
  return reply(JSON_CONTENT_TYPE, { body: encodeJson(body) });
}

/** Ends what would have been sent, but for a status without a body. */
function discard(body: unknown): void {
  const ended = body instanceof ReadableStream
    ? body.cancel()
    : isAsyncIterable(body)
    ? body[Symbol.asyncIterator]().return?.()
    : undefined;
  // A handler that has not begun has nothing to fail with, and a stream that is in use is another's to end.
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

/** What the first item is, all are. */
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

/** Reads as far ahead as costs no waiting: most responses are complete at once, and need no stream then. */
async function encodeResponse(response: Response): Promise<Reply> {
  const { status } = response;
  if (status === 0) throw unusable("it is Response.error(). Return one with a status");
  if (status < 200) throw unusable(`its status is ${status}, which no handler can answer with`);
  if (response.body?.locked) {
    throw unusable("its body has been read. Return a new one, or a clone() made before");
  }
  const head = encodeResponseHead({ status, headers: flatten(response.headers) });
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

function unusable(why: string): BadResultError {
  return new BadResultError(`Cannot send the Response that the handler returned: ${why}`);
}

/** Turns of the microtask queue that a body in memory needs to be read. */
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
