import type { Chunk } from "../message/reply.ts";

/** A reply that a handler produces bit by bit, in its thread: each chunk when main asks for it. */
export class OutgoingStream {
  #asked = Promise.withResolvers<void>();
  readonly #closing = Promise.withResolvers<undefined>();
  #closed = false;

  /** Main wants one more chunk. */
  pull(): void {
    this.#asked.resolve();
  }

  /** Nobody wants the rest: the iterator is told to return, and not waited for where it is busy. */
  close(): void {
    this.#closed = true;
    this.#closing.resolve(undefined);
  }

  /** Sends all chunks, or those that are asked for until it is closed. */
  async send(chunks: AsyncIterable<Chunk>, post: (chunk: Chunk) => void): Promise<void> {
    const iterator = chunks[Symbol.asyncIterator]();
    for (;;) {
      await Promise.race([this.#asked.promise, this.#closing.promise]);
      if (this.#closed) {
        await iterator.return?.();
        return;
      }
      this.#asked = Promise.withResolvers();
      const result = await Promise.race([iterator.next(), this.#closing.promise]);
      if (result === undefined) {
        iterator.return?.().catch(() => {});
        return;
      }
      if (result.done) return;
      post(result.value);
    }
  }
}
