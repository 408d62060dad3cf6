/**
 * A request to end a call, whether the call still waits or already runs.
 *
 * Each request of a client that may go away has one. It is not an `AbortSignal`, because an `AbortSignal`
 * costs more than a short call does.
 */
export class Cancellation {
  #cancelled = false;
  #listener: (() => void) | undefined;

  /** Ends the call. If no call has this cancellation yet, the call that gets it later ends. Idempotent. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#listener?.();
  }

  /**
   * Sets the function that runs when the call must end, in place of the former one.
   *
   * The function runs at once if {@linkcode Cancellation.cancel} was called before.
   */
  onCancel(listener: () => void): void {
    this.#listener = listener;
    if (this.#cancelled) listener();
  }
}
