import type { Chunk } from "../message/reply.ts";

/** A reply that a handler produces in chunks, in its thread: each chunk when the main thread asks for it. */
export class OutgoingStream {
  #asked = Promise.withResolvers<void>();
  readonly #closing = Promise.withResolvers<undefined>();
  #closed = false;

  /** Lets the handler produce one more chunk, for which the main thread has asked. */
  pull(): void {
    this.#asked.resolve();
  }

  /**
   * Ends the stream, because nobody wants the rest of it.
   *
   * The iterator is told to return. {@linkcode OutgoingStream.send} does not wait for a busy iterator.
   */
  close(): void {
    this.#closed = true;
    this.#closing.resolve(undefined);
  }

  /** Sends all chunks, or those that the main thread asks for until the stream is closed. */
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
