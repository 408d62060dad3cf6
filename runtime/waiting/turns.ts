/** Lets tasks that concern the same things run one after the other, in the order in which they came. */
export class Turns {
  readonly #last = new WeakMap<object, Promise<void>>();
  readonly #pending = new Set<Promise<void>>();

  /**
   * Runs a task when all earlier tasks that concern one of its things have ended, well or not.
   *
   * @returns What the task returns, or rejects with.
   */
  take<Value>(things: readonly object[], task: () => Promise<Value>): Promise<Value> {
    const result = Promise.all(things.map((thing) => this.#last.get(thing))).then(task);
    const ended = result.then(() => {}, () => {}).finally(() => this.#pending.delete(ended));
    this.#pending.add(ended);
    for (const thing of things) this.#last.set(thing, ended);
    return result;
  }

  /** Resolves when all tasks that are here now have ended. */
  async ended(): Promise<void> {
    await Promise.all(this.#pending);
  }
}
