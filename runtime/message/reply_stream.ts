import type { CancelReason, Chunk } from "./reply.ts";

/**
 * The rest of a reply, as the main thread holds it: chunks that a handler produces one by one, on request.
 *
 * The handler produces no chunk before {@linkcode ReplyStream.next} asks for it, so a slow reader costs the
 * memory of one chunk. The call keeps its place in the pool until the last chunk has been read, or until
 * {@linkcode ReplyStream.cancel} is called.
 */
export class ReplyStream {
  readonly #pull: () => void;
  readonly #cancel: (reason: CancelReason) => void;
  #waiting: PromiseWithResolvers<Chunk | undefined> | undefined;
  #end: { readonly failure: string | undefined } | undefined;
  #onEnd: (() => void) | undefined;

  /** Makes the stream of a thread, which `pull` asks for more and `cancel` tells to stop. */
  constructor(pull: () => void, cancel: (reason: CancelReason) => void) {
    this.#pull = pull;
    this.#cancel = cancel;
  }

  /**
   * Returns the next chunk, or undefined after the last one. Ask for one chunk at a time.
   *
   * @throws {Error} If the handler failed, or its thread was lost.
   */
  async next(): Promise<Chunk | undefined> {
    if (this.#end === undefined) {
      this.#waiting = Promise.withResolvers();
      this.#pull();
      return await this.#waiting.promise;
    }
    if (this.#end.failure !== undefined) throw new Error(this.#end.failure);
    return undefined;
  }

  /** Tells the handler that nobody reads the stream any more. */
  cancel(): void {
    if (this.#end === undefined) this.#cancel("cancelled");
  }

  /** Tells the handler that its container is stopping. A stream without an end should then end. */
  warn(): void {
    if (this.#end === undefined) this.#cancel("stopping");
  }

  /** Sets the function that runs when the stream has ended, or at once if it has. */
  onEnd(listener: () => void): void {
    if (this.#end === undefined) this.#onEnd = listener;
    else listener();
  }

  /** Takes a chunk from the thread. */
  deliver(chunk: Chunk): void {
    const waiting = this.#waiting;
    this.#waiting = undefined;
    waiting?.resolve(chunk);
  }

  /** Takes the end of the stream from the thread, or the message of the failure in the thread. */
  end(failure?: string): void {
    if (this.#end !== undefined) return;
    this.#end = { failure };
    if (failure === undefined) this.#waiting?.resolve(undefined);
    else this.#waiting?.reject(new Error(failure));
    this.#onEnd?.();
  }
}
