import type { Thread, ThreadOptions, ThreadSpawner } from "../../runtime/spawning/spawner.ts";

/** A spawner that keeps what it spawned, so that a test can see threads start and end, and end them itself. */
export class WatchedThreads implements ThreadSpawner {
  readonly spawned: Thread[] = [];
  /** Called before each thread is spawned. */
  onSpawn: () => void = () => {};
  readonly #spawner: ThreadSpawner;

  constructor(spawner: ThreadSpawner) {
    this.#spawner = spawner;
  }

  spawn(options: ThreadOptions): Thread {
    this.onSpawn();
    const thread = this.#spawner.spawn(options);
    this.spawned.push(thread);
    return thread;
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.#spawner[Symbol.asyncDispose]();
  }
}
