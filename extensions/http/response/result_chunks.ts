/** Turns the items of a result that a handler produces bit by bit into chunks. */
import { BadResultError } from "../../../runtime/message/errors.ts";
import type { Chunk } from "../../../runtime/message/reply.ts";
import { encodeServerSentEvent, EVENT_STREAM } from "./server_sent_events.ts";

/** Returns an iterator over all items of `iterator`, whose first item has been taken already. */
export function withFirst(
  first: IteratorResult<unknown>,
  iterator: AsyncIterator<unknown>,
): AsyncIterator<unknown> {
  let given = false;
  return {
    next() {
      if (given) return iterator.next();
      given = true;
      return Promise.resolve(first);
    },
    return: () => iterator.return?.() ?? Promise.resolve({ done: true, value: undefined }),
  };
}

/** Turns items into chunks. It uses no generator, so that `return` reaches an iterator that is busy. */
function map(items: AsyncIterable<unknown>, encode: (item: unknown) => Chunk): AsyncIterable<Chunk> {
  return {
    [Symbol.asyncIterator]() {
      const iterator = items[Symbol.asyncIterator]();
      return {
        async next() {
          const result = await iterator.next();
          return result.done
            ? { done: true, value: undefined }
            : { done: false, value: encode(result.value) };
        },
        async return() {
          await iterator.return?.();
          return { done: true, value: undefined };
        },
      };
    },
  };
}

/** Encodes items as server-sent events. */
export function asEvents(items: AsyncIterable<unknown>): AsyncIterable<Chunk> {
  return map(items, encodeServerSentEvent);
}

/** Sends items that are text or bytes as they are. */
export function asChunks(items: AsyncIterable<unknown>): AsyncIterable<Chunk> {
  return map(items, (item) => {
    if (typeof item === "string") return item;
    if (item instanceof ArrayBuffer) return new Uint8Array(item);
    if (ArrayBuffer.isView(item)) return bytesOf(item);
    throw new BadResultError(
      `Cannot send a ${typeof item} as a part of a body: it is neither text nor bytes. For server-sent ` +
        `events, state the content type ${EVENT_STREAM}`,
    );
  });
}

/** Tells whether a value is memory: an `ArrayBuffer` or a view of memory. */
export function isBytes(value: unknown): boolean {
  return value instanceof ArrayBuffer || ArrayBuffer.isView(value);
}

/**
 * Returns the bytes of a view. They are a copy if the memory is shared or larger than the view, since a port
 * would send all of the memory.
 */
export function bytesOf(view: ArrayBufferView): Uint8Array<ArrayBuffer> {
  const { buffer, byteOffset, byteLength } = view;
  if (buffer instanceof ArrayBuffer && byteLength === buffer.byteLength) return new Uint8Array(buffer);
  return new Uint8Array(new Uint8Array(buffer, byteOffset, byteLength));
}
