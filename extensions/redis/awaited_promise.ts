/**
 * A promise that knows whether somebody waits for it, and whose failure nobody has to handle.
 *
 * A failure that nobody handles would end the thread. `await`, `then`, `catch` and `finally` all call `then`, because
 * a promise of another class than `Promise` itself is only read through it.
 */
export class AwaitedPromise<Value> extends Promise<Value> {
  /** What `then` makes is an ordinary promise, whose failure is the failure of who made it. */
  static override get [Symbol.species](): PromiseConstructor {
    return Promise;
  }

  #onAwait: (() => void) | undefined;

  /** @param onAwait Called when somebody waits for the promise for the first time. */
  static watching<Value>(promise: Promise<Value>, onAwait: () => void): AwaitedPromise<Value> {
    const watched = new AwaitedPromise<Value>((resolve) => resolve(promise));
    watched.#onAwait = onAwait;
    super.prototype.then.call(watched, undefined, () => {});
    return watched;
  }

  override then<Result = Value, Failure = never>(
    fulfilled?: ((value: Value) => Result | PromiseLike<Result>) | null,
    rejected?: ((reason: unknown) => Failure | PromiseLike<Failure>) | null,
  ): Promise<Result | Failure> {
    this.#onAwait?.();
    this.#onAwait = undefined;
    return super.then(fulfilled, rejected);
  }
}
