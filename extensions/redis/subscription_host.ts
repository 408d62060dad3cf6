/**
 * The main thread's half of `subscription()`.
 *
 * Redis sends as fast as others publish, and does not wait for a receiver. So what the threads cannot take at once waits
 * in a queue that is bounded, and what it has no room for is dropped and counted. The main thread never stops reading:
 * Redis cuts the connection of a receiver that does.
 */
import { HeldCalls } from "../../runtime/hosting/held_calls.ts";
import type { Entrypoint, EntrypointHost, HostedEntrypoint } from "../../runtime/hosting/host.ts";
import { pause, within } from "../../runtime/waiting/abort.ts";
import { MessageQueue } from "./message_queue.ts";
import { RedisUnavailableError } from "./redis_error.ts";
import { serverOf } from "./settings.ts";
import { type HeldConnection, holdConnection } from "./shared_connection.ts";

/** Options that `subscription()` writes into the manifest. */
interface SubscriptionManifest {
  readonly channel?: string;
  readonly pattern?: string;
  readonly name?: string;
  readonly format: "json" | "text" | "bytes";
  readonly limit: number;
  readonly drop: "oldest" | "newest";
}

/** What is subscribed to, until it is disposed. */
interface Subscribed {
  readonly held: HeldConnection;
  readonly unsubscribe: () => Promise<void>;
}

/** Milliseconds between two attempts to subscribe where Redis refuses it. */
const RETRY_PAUSE = 2_000;

/** Milliseconds that the start of the service waits for the subscription. */
const START_LIMIT = 5_000;

/** Milliseconds that Redis may take to hear that nobody listens any more. */
const UNSUBSCRIBE_LIMIT = 1_000;

/** Listens to the channels of one service. */
export class SubscriptionHost implements Entrypoint {
  readonly #entries: readonly HostedEntrypoint[];
  readonly #host: EntrypointHost;
  readonly #calls: HeldCalls;
  readonly #queues: MessageQueue[] = [];
  readonly #held: HeldConnection[] = [];
  readonly #subscribed: Subscribed[] = [];
  readonly #stopping = new AbortController();
  #subscribing: readonly Promise<void>[] = [];

  constructor(entries: readonly HostedEntrypoint[], host: EntrypointHost) {
    this.#entries = entries;
    this.#host = host;
    this.#calls = new HeldCalls(host, () => {
      for (const queue of this.#queues) queue.clear();
    });
  }

  /**
   * Begins to connect.
   *
   * @throws {ConfigurationError} If the configuration names no server, or has a wrong value.
   */
  setup(): Promise<void> {
    const { config, service, log } = this.#host;
    const servers = this.#entries.map(({ options }) => {
      const { name, channel, pattern } = options as unknown as SubscriptionManifest;
      return serverOf(config, { service, name, used: `subscription("${channel ?? pattern}")` });
    });
    for (const server of servers) this.#held.push(holdConnection(server, log));
    return Promise.resolve();
  }

  /** Subscribes. It waits for that if Redis answers, and goes on without it if Redis is away. */
  async start(): Promise<void> {
    const attempts = this.#entries.map((entry, index) => this.#listen(entry, this.#held[index]!));
    this.#subscribing = attempts.map(({ subscribed }) => subscribed);
    await within(START_LIMIT, Promise.all(attempts.map(({ tried }) => tried)));
  }

  /** Unsubscribes, and waits for the handlers of all messages that have come. */
  async stop(): Promise<void> {
    this.#stopping.abort(new Error("the service stops"));
    await Promise.all(this.#subscribing);
    await Promise.all(this.#subscribed.splice(0).map(({ unsubscribe }) => unsubscribe()));
    await this.#calls.finished();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
    await Promise.all(this.#held.splice(0).map((held) => held[Symbol.asyncDispose]()));
  }

  /** Subscribes until it has succeeded once: then the client does it again after each loss. */
  #listen(
    entry: HostedEntrypoint,
    held: HeldConnection,
  ): { readonly tried: Promise<void>; readonly subscribed: Promise<void> } {
    const { channel, pattern, format, limit, drop } = entry.options as unknown as SubscriptionManifest;
    const { connection } = held;
    const queue = new MessageQueue(entry, this.#host, this.#calls, { limit, drop });
    this.#queues.push(queue);
    const isBytes = format === "bytes";
    const receive = (message: string | Uint8Array, from: string | Uint8Array) => {
      if (!this.#stopping.signal.aborted) queue.put(message, String(from));
    };
    const { signal } = this.#stopping;
    const first = Promise.withResolvers<void>();
    const subscribe = async () => {
      for (let isFirst = true; !signal.aborted; isFirst = false) {
        try {
          await connection.run(
            (client) =>
              channel === undefined
                ? client.pSubscribe(pattern!, receive, isBytes)
                : client.subscribe(channel, receive, isBytes),
            { action: "SUBSCRIBE", signal },
          );
          const unsubscribe = async () => {
            // Where Redis is away, it has forgotten us already.
            await connection.run(
              (client) =>
                channel === undefined
                  ? client.pUnsubscribe(pattern!, receive, isBytes)
                  : client.unsubscribe(channel, receive, isBytes),
              {
                action: "UNSUBSCRIBE",
                timeout: UNSUBSCRIBE_LIMIT,
              },
            ).catch(() => {});
          };
          this.#subscribed.push({ held, unsubscribe });
          return;
        } catch (error) {
          if (signal.aborted) return;
          // The connection itself tells that Redis is away.
          if (isFirst && !(error instanceof RedisUnavailableError)) this.#tell(entry, error);
          first.resolve();
          await connection.untilReady(signal).catch(() => {});
          if (connection.isReady) await pause(RETRY_PAUSE, signal).catch(() => {});
        }
      }
    };
    const subscribed = subscribe().finally(first.resolve);
    return { tried: first.promise, subscribed };
  }

  #tell({ method }: HostedEntrypoint, error: unknown): void {
    const { service, log } = this.#host;
    log.warning(
      `${service}.${method} gets no messages yet: ${error instanceof Error ? error.message : error}`,
    );
  }
}
