/**
 * The wish to end a call, whether it waits or runs.
 *
 * There is one for each request of a client that may go away, which is why it is not an `AbortSignal`: that costs
 * more than a short call does.
 */
export class Cancellation {
  #cancelled = false;
  #listener: (() => void) | undefined;

  /** Ends the call, or the one that it is given to later. Idempotent. */
  cancel(): void {
    if (this.#cancelled) return;
    this.#cancelled = true;
    this.#listener?.();
  }

  /** Calls `listener`, in place of the former one, when the call is to end; at once if it is by now. */
  onCancel(listener: () => void): void {
    this.#listener = listener;
    if (this.#cancelled) listener();
  }
}
