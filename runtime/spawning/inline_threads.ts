import { loadInto, type Thread, type ThreadOptions, type ThreadSpawner } from "./spawner.ts";
import { createThreadChannel, openThreadChannel, type ThreadChannelEnd } from "../channel/thread_channel.ts";
import type { ComingThreadModule } from "../channel/port.ts";

/**
 * No threads: the service runs in the calling thread, behind a real message channel.
 *
 * For tests and debugging. Messages are cloned as between threads; permissions are the caller's own, and a
 * handler that spins stops everything.
 */
export class InlineThreads implements ThreadSpawner {
  readonly #module: ComingThreadModule;

  constructor(module: ComingThreadModule) {
    this.#module = module;
  }

  spawn({ claims }: ThreadOptions): Thread {
    const { host, thread: channel } = createThreadChannel();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    void begin(channel, claims);
    void loadInto(host, this.#module);
    return {
      port: host,
      ended,
      kill: () => {
        channel.port.close();
        resolve("it was stopped");
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {}
}

/** Main has no other use for what threads consist of. */
async function begin(channel: ThreadChannelEnd, claims: SharedArrayBuffer): Promise<void> {
  const { ServiceThread } = await import("../thread/service_thread.ts");
  new ServiceThread(openThreadChannel(channel), claims, { exit() {}, enclose() {} });
}
