import type { Thread, ThreadEnd, ThreadOptions, ThreadSpawner } from "./thread.ts";
import { createThreadChannel, openThreadChannel, type ThreadChannelEnd } from "./thread_channel.ts";
import type { ThreadModule } from "./thread_module.ts";

/**
 * No threads: the service runs in the calling thread, behind a real message channel.
 *
 * For tests and debugging. Messages are cloned as between threads; permissions are the caller's own, and a
 * handler that spins stops everything.
 */
export class InlineThreads implements ThreadSpawner {
  readonly kind = "inline";
  readonly killsSpinning = false;
  readonly #module: ThreadModule;

  constructor(module: ThreadModule) {
    this.#module = module;
  }

  spawn({ claims }: ThreadOptions): Thread {
    const { host, thread: channel } = createThreadChannel();
    const { promise: ended, resolve } = Promise.withResolvers<ThreadEnd>();
    void this.#load(channel, claims);
    return {
      port: host,
      ended,
      kill: () => {
        channel.port.close();
        resolve({ reason: "it was stopped", expected: true });
      },
    };
  }

  /** Main has no other use for what threads consist of. */
  async #load(channel: ThreadChannelEnd, claims: SharedArrayBuffer): Promise<void> {
    const { ServiceThread } = await import("./service_thread.ts");
    await new ServiceThread(openThreadChannel(channel), claims, () => {}).load(this.#module);
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}
