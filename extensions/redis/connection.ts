/**
 * One connection to a Redis, or to a cluster, which looks after itself.
 *
 * It is in one of three states. While a first attempt, or the first one after a loss, is under way, commands wait for
 * it. While it is ready, they are sent. Once an attempt has failed, commands fail at once, and the connection goes on
 * trying behind their backs, with growing pauses: so a Redis that is away costs its users an error, and never time.
 * Nothing that Redis or the network does throws anywhere but in a command.
 */
import { Buffer } from "node:buffer";
import { abortable, pause, within } from "../../runtime/waiting/abort.ts";
import { growingDelay } from "../../runtime/waiting/growing_delay.ts";
import type { AnyRedisClient } from "./any_client.ts";
import { type ClientLibrary, loadClientLibrary } from "./client_library.ts";
import { clientOptions, clusterOptions, RECONNECTION } from "./client_options.ts";
import { describeConnectionFault, RedisUnavailableError } from "./redis_error.ts";
import type { RedisServer } from "./settings.ts";

/** Options of {@linkcode RedisConnection.run}. */
export interface RedisRunOptions {
  /** What is done, for messages, such as `GET`. */
  readonly action: string;
  /** Milliseconds that it may take, the wait for the connection included. @default {10,000} */
  readonly timeout?: number | undefined;
  /** Aborting ends the wait. Redis may run the command all the same. */
  readonly signal?: AbortSignal | undefined;
}

/** Options of {@linkcode RedisConnection.command}. */
export interface RedisCommandOptions {
  /** A key that the command uses, by which a cluster finds the node. @default {none: any node} */
  readonly key?: string;
  /** Whether texts in the reply are bytes. @default {false} */
  readonly bytes?: boolean;
  /** @default {10,000} */
  readonly timeout?: number;
  readonly signal?: AbortSignal;
}

/** The library's number of texts of any length, such as values, in the place of which a reply may have bytes. */
export const BLOB_STRING = 36;

/** What is told of a connection. */
export interface RedisConnectionListener {
  /** It has been lost, or could not be made. `message` is a whole sentence. */
  onAway(message: string): void;
  /** It is there again. */
  onBack(): void;
}

/** Milliseconds that a command may take, where nobody says otherwise. */
export const COMMAND_TIMEOUT = 10_000;

/** Milliseconds that the commands under way have when the connection is closed. */
const CLOSE_LIMIT = 1_000;

/** What the library says in the place of Redis, where Redis says it for a while only. */
const PASSING = /^(?:LOADING|CLUSTERDOWN|MASTERDOWN|TRYAGAIN)\b/;

/** A connection to one Redis, or to a cluster. Use it by `holdConnection()` of `shared_connection.ts`. */
export class RedisConnection implements AsyncDisposable {
  readonly server: RedisServer;
  readonly listeners: Set<RedisConnectionListener> = new Set();
  #library: ClientLibrary | undefined;
  #client: AnyRedisClient | undefined;
  #isReady = false;
  /** The attempt that commands wait for. */
  #attempt = attempt();
  /** Resolves when a Redis that was away answers again. */
  #back = Promise.withResolvers<void>();
  /** Why commands fail at once; undefined if they do not. */
  #away: string | undefined;
  /** How many commands are under way, and what is told when there are no more. */
  #running = 0;
  readonly #idle = Promise.withResolvers<void>();
  readonly #closing = new AbortController();

  /** Ends when nothing tries to connect any more. */
  readonly #opening: Promise<void>;
  readonly #created = Promise.withResolvers<AnyRedisClient>();

  /** Begins to connect. Nothing waits for it, and nothing fails by it but commands. */
  constructor(server: RedisServer) {
    this.server = server;
    this.#created.promise.catch(() => {});
    this.#opening = this.#open().catch((error) => {
      this.#lose(error);
      this.#created.reject(this.#error("connect", this.#away ?? "it is closed"));
    });
  }

  /** The client, which may not be connected. Use it in {@linkcode RedisConnection.run}. */
  get client(): AnyRedisClient | Promise<AnyRedisClient> {
    return this.#client ?? this.#created.promise;
  }

  /** Whether commands are sent at once. */
  get isReady(): boolean {
    return this.#isReady;
  }

  /**
   * Does something with the client, as soon as it is connected.
   *
   * @throws {RedisUnavailableError} If Redis is away, or is lost meanwhile, or does not answer in time.
   * @throws What Redis answers; the reason of `signal` if it aborts.
   */
  async run<Result>(
    use: (client: AnyRedisClient) => Promise<Result>,
    { action, timeout = COMMAND_TIMEOUT, signal }: RedisRunOptions,
  ): Promise<Result> {
    signal?.throwIfAborted();
    const { promise: over, reject } = Promise.withResolvers<never>();
    const timer = setTimeout(
      () => reject(this.#error(action, `no answer within ${timeout / 1_000} s`)),
      timeout,
    );
    const abort = () => reject(signal!.reason);
    signal?.addEventListener("abort", abort, { once: true });
    this.#running++;
    try {
      return await Promise.race([
        over,
        this.#isReady ? use(this.#client!) : this.#whenReady(action).then(use),
      ]);
    } catch (error) {
      throw this.#translated(error, action);
    } finally {
      clearTimeout(timer);
      signal?.removeEventListener("abort", abort);
      if (--this.#running === 0 && this.#closing.signal.aborted) this.#idle.resolve();
    }
  }

  /** Waits until Redis answers; not at all if it does. Rejects with the reason of `signal`. */
  async untilReady(signal: AbortSignal): Promise<void> {
    while (!this.#isReady) {
      if (this.#away === undefined) await abortable(this.#attempt.promise.catch(() => {}), signal);
      else await abortable(this.#back.promise, signal);
    }
  }

  /** Sends one command, whose parts are text or bytes, and gives its reply. Throws as {@linkcode run} does. */
  command(
    args: readonly [name: string, ...others: (string | Uint8Array)[]],
    { key, bytes = false, timeout, signal }: RedisCommandOptions = {},
  ): Promise<unknown> {
    const parts = args.map((part) =>
      typeof part === "string" ? part : Buffer.from(part.buffer, part.byteOffset, part.byteLength)
    );
    return this.run((client) => {
      const options = bytes ? { typeMapping: { [BLOB_STRING]: Buffer } } : {};
      return "slots" in client
        ? client.sendCommand(key, undefined, parts, options)
        : client.sendCommand(parts, options);
    }, { action: args[0], timeout, signal });
  }

  /** Closes the connection, once its commands have their replies, or after a second. Idempotent. */
  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#closing.signal.aborted) return;
    this.#closing.abort(new Error("the connection is closed"));
    if (this.#running > 0 && this.#isReady) await within(CLOSE_LIMIT, this.#idle.promise);
    this.#isReady = false;
    this.#away = "it is closed";
    this.#attempt.reject(new Error(this.#away));
    this.#created.reject(this.#error("connect", this.#away));
    this.#destroy();
    // A client that is destroyed while it connects does not hear of it, and has a connection afterwards.
    await within(CLOSE_LIMIT, this.#opening.then(() => this.#destroy()));
  }

  #destroy(): void {
    // A client that has no connection has nothing to destroy, and may say so by an error.
    try {
      this.#client?.destroy();
    } catch {
      // It is gone, which is what was wanted.
    }
  }

  async #open(): Promise<void> {
    const library = this.#library = await loadClientLibrary();
    if (this.#closing.signal.aborted) return;
    if (this.server.isCluster) await this.#openCluster(library);
    else await this.#openClient(library);
  }

  async #openClient(library: ClientLibrary): Promise<void> {
    const client = this.#client = library.createClient(await clientOptions(this.server));
    this.#created.resolve(client);
    let isLost = Promise.withResolvers<void>();
    // The library would try again by itself, and could not be stopped in one of its pauses.
    client.on("error", () => {}).on("terminated", () => isLost.resolve());
    await this.#keepOpen(async () => {
      isLost = Promise.withResolvers();
      await client.connect();
      this.#find();
      await abortable(isLost.promise, this.#closing.signal);
      this.#lose(undefined);
    });
  }

  /** The library sees to the nodes, once it has found them. */
  async #openCluster(library: ClientLibrary): Promise<void> {
    const cluster = this.#client = library.createCluster(await clusterOptions(this.server));
    this.#created.resolve(cluster);
    let fault: unknown;
    cluster.on("error", (error: unknown) => fault = error).on("node-error", () => {});
    await this.#keepOpen(async () => {
      await cluster.connect().catch((error: unknown) => Promise.reject(fault ?? error));
      this.#find();
      await abortable(NEVER, this.#closing.signal);
    });
  }

  /** Connects until the end, with growing pauses between attempts that fail. */
  async #keepOpen(connect: () => Promise<void>): Promise<void> {
    const { signal } = this.#closing;
    for (let failures = 0; !signal.aborted;) {
      try {
        await connect();
        failures = 0;
      } catch (fault) {
        this.#lose(fault);
        await pause(growingDelay(++failures, RECONNECTION), signal).catch(() => {});
      }
    }
  }

  #find(): void {
    if (this.#closing.signal.aborted) return;
    const wasAway = this.#away !== undefined;
    this.#isReady = true;
    this.#away = undefined;
    this.#attempt.resolve();
    this.#back.resolve();
    this.#back = Promise.withResolvers();
    if (wasAway) { for (const { onBack } of this.listeners) onBack(); }
  }

  #lose(fault: unknown): void {
    if (this.#closing.signal.aborted) return;
    if (this.#isReady) {
      // The next attempt comes without a pause, and commands wait for what comes of it.
      this.#isReady = false;
      this.#attempt = attempt();
      return;
    }
    const isNew = this.#away === undefined;
    this.#away = describeConnectionFault(fault, this.server);
    this.#attempt.reject(new Error(this.#away));
    if (!isNew) return;
    for (const { onAway } of this.listeners) {
      onAway(`Cannot reach Redis at ${this.server.shown}: ${this.#away}`);
    }
  }

  async #whenReady(action: string): Promise<AnyRedisClient> {
    if (this.#away === undefined) await this.#attempt.promise.catch(() => {});
    if (this.#isReady) return this.#client!;
    throw this.#error(action, this.#away ?? "the connection was lost. Try again");
  }

  #error(action: string, state: string): RedisUnavailableError {
    const { shown } = this.server;
    return new RedisUnavailableError(
      `Cannot ${action === "connect" ? "reach" : `run ${action} on`} Redis at ${shown}: ${state}`,
    );
  }

  /** Makes one class of all that the loss of a connection does to a command. */
  #translated(error: unknown, action: string): unknown {
    if (!(error instanceof Error) || error instanceof RedisUnavailableError) return error;
    const library = this.#library;
    if (library === undefined) return error;
    if (error instanceof library.ErrorReply) {
      return PASSING.test(error.message) ? this.#error(action, `${error.message}. Try again`) : error;
    }
    const isSystemError = "code" in error && SYSTEM_ERROR.test(String(error.code));
    const isLoss = isSystemError || LOSSES.some((name) => error instanceof library[name]);
    if (!isLoss) return error;
    const state = this.#away ?? "the connection was lost, and Redis may have run it or not. Try again";
    return this.#error(action, state);
  }
}

/** The codes of errors of the network. */
const SYSTEM_ERROR = /^E[A-Z]+$/;

const NEVER = new Promise<never>(() => {});

/** What the library throws where the connection is to blame. */
const LOSSES = [
  "ClientClosedError",
  "ClientOfflineError",
  "ConnectionTimeoutError",
  "DisconnectsClientError",
  "ReconnectStrategyError",
  "RootNodesUnavailableError",
  "SocketClosedUnexpectedlyError",
  "SocketTimeoutError",
  "TimeoutError",
] as const;

function attempt(): PromiseWithResolvers<void> {
  const made = Promise.withResolvers<void>();
  // Often nobody waits for it.
  made.promise.catch(() => {});
  return made;
}
