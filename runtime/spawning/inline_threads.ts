import { loadInto, type Thread, type ThreadOptions, type ThreadSpawner } from "./spawner.ts";
import { createThreadChannel, openThreadChannel, type ThreadChannelEnd } from "../channel/thread_channel.ts";
import type { ComingThreadModule } from "../channel/port.ts";

/**
 * Runs a service without a thread of its own: in the calling thread, behind a real message channel.
 *
 * This kind is for tests and debugging. Messages are cloned as between threads. The service has the
 * permissions of the calling thread, and a handler that spins stops everything.
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

/** Starts the service. The import waits until here, because the main thread has no other use for it. */
async function begin(channel: ThreadChannelEnd, claims: SharedArrayBuffer): Promise<void> {
  const { ServiceThread } = await import("../thread/service_thread.ts");
  new ServiceThread(openThreadChannel(channel), claims, { exit() {}, enclose() {} });
}
