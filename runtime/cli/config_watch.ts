import { resolve } from "node:path";
import { FileWatch } from "../file_watch.ts";

/** Tells when the configuration file changes, until it is disposed. */
export class ConfigWatch implements AsyncDisposable {
  readonly #ending = new AbortController();
  readonly #ended: Promise<void>;

  /** @param onChange Called after each change; must not throw. */
  constructor(file: string, onChange: () => void) {
    this.#ended = this.#run(resolve(file), onChange);
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#ending.abort();
    await this.#ended;
  }

  async #run(path: string, onChange: () => void): Promise<void> {
    const { signal } = this.#ending;
    using watch = new FileWatch();
    await watch.follow([path], Date.now());
    while (!signal.aborted) {
      const changed = await watch.changes({ signal }).catch(() => undefined);
      if (changed !== undefined) onChange();
    }
  }
}
