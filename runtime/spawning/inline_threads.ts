import type { Clock } from "../waiting/clock.ts";
import {
  loadInto,
  type Thread,
  type ThreadOptions,
  type ThreadPlace,
  type ThreadSpawner,
} from "./spawner.ts";
import { createThreadChannel, openThreadChannel, type ThreadChannelEnd } from "../channel/thread_channel.ts";
import type { ComingThreadModule } from "../channel/port.ts";
import { given } from "../message/plain.ts";

/** What a module exports, by name. */
type ModuleExports = Readonly<Record<string, unknown>>;

/**
 * Runs a service without a thread of its own: in the calling thread, behind a real message channel.
 *
 * This kind is for tests, debugging and the services of a program that has no module for them. Messages are
 * cloned as between threads. The service has the permissions of the calling thread, and a handler that spins
 * stops everything.
 */
export class InlineThreads implements ThreadSpawner {
  readonly clock: Clock | undefined;
  readonly place: ThreadPlace = { isolation: "inline" };
  readonly #module: ComingThreadModule;
  readonly #exports: ModuleExports | undefined;

  /**
   * @param options.exports What the module exports, if it is none that can be imported.
   * @param options.clock The clock that its calls go by.
   */
  constructor(
    module: ComingThreadModule,
    { exports, clock }: { readonly exports?: ModuleExports; readonly clock?: Clock | undefined } = {},
  ) {
    this.clock = clock;
    this.#module = module;
    this.#exports = exports;
  }

  spawn({ claims }: ThreadOptions): Thread {
    const { host, thread: channel } = createThreadChannel();
    const { promise: ended, resolve } = Promise.withResolvers<string>();
    void begin(channel, claims, { exports: this.#exports, clock: this.clock });
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
async function begin(
  channel: ThreadChannelEnd,
  claims: SharedArrayBuffer,
  own: { readonly exports: ModuleExports | undefined; readonly clock: Clock | undefined },
): Promise<void> {
  const { ServiceThread } = await import("../thread/service_thread.ts");
  new ServiceThread(openThreadChannel(channel), claims, {
    exit() {},
    enclose() {},
    sharesHeap: true,
    ...given(own),
  });
}
