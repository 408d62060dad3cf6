import { memory } from "../../../extensions/memory/mod.ts";
import { run, type Running } from "../../../extensions/run.ts";
import { bayeux, type BayeuxMessage, type BayeuxOptions } from "../../../extensions/bayeux/mod.ts";
import type { PlainRecord } from "../../../runtime/message/plain.ts";
import { type Service, service } from "../../../mod.ts";

/** A message as a handler got it. */
export interface Received {
  readonly method: string;
  readonly data: unknown;
  readonly message: BayeuxMessage;
}

/** What arrives one after the other, and a way to wait for it. */
export class Arrivals<Item> {
  readonly all: Item[] = [];
  #wake: PromiseWithResolvers<void> = Promise.withResolvers();

  readonly add = (item: Item): void => {
    this.all.push(item);
    this.#wake.resolve();
    this.#wake = Promise.withResolvers();
  };

  /** Resolves when so many are there, or when one is there that `isIt`. */
  async until(wanted: number | ((item: Item) => boolean)): Promise<readonly Item[]> {
    while (typeof wanted === "number" ? this.all.length < wanted : !this.all.some(wanted)) {
      await this.#wake.promise;
    }
    return this.all;
  }
}

/** Makes a service whose methods hand on what they get. */
export function listener(
  name: string,
  channels: Readonly<Record<string, string>>,
  received: Arrivals<Received>,
  { options = {}, handle = () => {} }: {
    readonly options?: BayeuxOptions;
    readonly handle?: (received: Received) => void | Promise<void>;
  } = {},
): Service {
  const methods = Object.entries(channels);
  return service(name, {
    entrypoints: Object.fromEntries(methods.map(([method, channel]) => [method, bayeux(channel, options)])),
    handlers: Object.fromEntries(methods.map(([method]) => [
      method,
      async (_context: unknown, data: unknown, message: BayeuxMessage) => {
        const item = { method, data, message };
        received.add(item);
        await handle(item);
      },
    ])),
  }) as unknown as Service;
}

/** Serves services that listen to a server with one thread, and that come back quickly when it is away. */
export function serve(
  services: readonly Service[],
  uri: string,
  config: PlainRecord = {},
  more: PlainRecord = {},
): Promise<Running> {
  return run(services, {
    broker: memory(),
    config: {
      max_workers: 1,
      ...more,
      BAYEUX: { SERVER_URI: uri, RETRY_INTERVAL: 0.02, MAX_RETRY_INTERVAL: 0.05, ...config },
    },
  });
}
