/** The responses that have not been handed to their connections as a whole. */
export class OngoingResponses {
  #count = 0;
  #none: PromiseWithResolvers<void> | undefined;

  /** @param completed Settles when the response has been handed over, or never can be. */
  add(completed: Promise<void>): void {
    this.#count++;
    const end = () => {
      if (--this.#count === 0) this.#none?.resolve();
    };
    void completed.then(end, end);
  }

  /** Resolves once there are none, and it is asked once. */
  none(): Promise<void> {
    this.#none = Promise.withResolvers<void>();
    if (this.#count === 0) this.#none.resolve();
    return this.#none.promise;
  }
}
