/** Counts the responses that have not been handed to their connections as a whole. */
export class OngoingResponses {
  #count = 0;
  #none: PromiseWithResolvers<void> | undefined;

  /**
   * Counts a response.
   *
   * @param completed Settles when the response has been handed over, or when this has become impossible.
   */
  add(completed: Promise<void>): void {
    this.#count++;
    const end = () => {
      if (--this.#count === 0) this.#none?.resolve();
    };
    void completed.then(end, end);
  }

  /** Resolves as soon as there are no such responses. It may be called only once. */
  none(): Promise<void> {
    this.#none = Promise.withResolvers<void>();
    if (this.#count === 0) this.#none.resolve();
    return this.#none.promise;
  }
}
