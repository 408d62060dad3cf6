/**
 * The connection of one service to its Bayeux server, from the first handshake to the farewell.
 *
 * Invariant: at most one request for messages is under way, and the next one begins only when there is room for more
 * calls. So what a busy service does not take waits in the server, within the limits that the server has. The
 * connection is lost and found without end; what ends it is {@linkcode BayeuxConnection.close}, or a server that
 * advises not to come back.
 */
import { pause, timeLimit, within } from "../../runtime/waiting/abort.ts";
import { growingDelay } from "../../runtime/waiting/growing_delay.ts";
import type { Log } from "../../runtime/log/log.ts";
import { BrokerError } from "../../runtime/message/errors.ts";
import { BayeuxError } from "./bayeux_error.ts";
import { Exchange, type ServerMessage } from "./exchange.ts";
import { BayeuxSession } from "./session.ts";
import type { BayeuxSettings } from "./settings.ts";

/** Options of {@linkcode BayeuxConnection}. */
export interface ConnectionOptions {
  readonly settings: BayeuxSettings;
  /** The channels and patterns to subscribe to. */
  readonly channels: readonly string[];
  /** Gets the messages, in order. It must not throw. */
  readonly deliver: (message: ServerMessage) => void;
  /** Waits until more messages can be taken. Rejects when `signal` aborts. */
  readonly room: (signal: AbortSignal) => Promise<void>;
  readonly log: Log;
}

/** Milliseconds that the server has to take the farewell, and to answer the request that it holds. */
const FAREWELL_LIMIT = 1_000;

/** Milliseconds below which a round without messages is short. The first one after a handshake often is. */
const SHORT_ROUND = 50;

/** Number of short rounds in a row after which the client waits, because the server does not hold requests. */
const MOST_SHORT_ROUNDS = 3;

/** Keeps a service connected. */
export class BayeuxConnection {
  readonly #options: ConnectionOptions;
  readonly #session: BayeuxSession;
  readonly #server: string;
  /** Aborts when no further request is to begin. */
  readonly #closing = new AbortController();
  /** Aborts when no request is to go on. */
  readonly #aborting = new AbortController();
  #running: Promise<void> = Promise.resolve();
  /** Whether the server knows the client and its subscriptions. */
  #isReady = false;
  /** Whether the log says that the connection is broken, and whether the server had answered then. */
  #trouble: { readonly answered: boolean } | undefined;
  #failures = 0;
  #shortRounds = 0;

  constructor(options: ConnectionOptions) {
    const { settings, deliver } = options;
    const exchange = new Exchange(settings);
    this.#options = options;
    this.#server = exchange.server;
    this.#session = new BayeuxSession({ settings, exchange, deliver });
  }

  /**
   * Connects, and takes messages until the connection is closed.
   *
   * @throws {BrokerError} If the server advises not to connect again.
   */
  run(): Promise<void> {
    return this.#running = this.#run();
  }

  /** Leaves politely: the server learns of it, and what it sends at last is still taken. Idempotent. */
  async close(): Promise<void> {
    this.#closing.abort();
    if (this.#session.isKnown && this.#trouble === undefined) {
      using limit = timeLimit(FAREWELL_LIMIT, this.#aborting.signal);
      await this.#session.disconnect(limit.signal).catch(() => {});
      await within(FAREWELL_LIMIT, this.#running.catch(() => {}));
    }
    await this.abort();
  }

  /** Leaves at once. Idempotent. */
  async abort(): Promise<void> {
    this.#closing.abort();
    this.#aborting.abort();
    await this.#running.catch(() => {});
  }

  async #run(): Promise<void> {
    const closing = this.#closing.signal;
    while (!closing.aborted) {
      try {
        if (!this.#isReady) await this.#introduce();
        await this.#options.room(closing);
        await pause(await this.#round(), closing);
      } catch (error) {
        if (closing.aborted) return;
        if (!(error instanceof BayeuxError)) throw error;
        await pause(this.#waitAfter(error), closing).catch(() => {});
      }
    }
  }

  async #introduce(): Promise<void> {
    const { channels, log } = this.#options;
    const { signal } = this.#aborting;
    await this.#session.handshake(signal);
    const refused = await this.#session.subscribe(channels, signal);
    for (const { message } of refused.values()) log.error(message);
    const count = channels.length - refused.size;
    const what = count === 1 ? "1 channel" : `${count} channels`;
    log.info(`Connected to the Bayeux server at ${this.#server}, with ${what}`);
    this.#trouble = undefined;
    this.#isReady = true;
  }

  /** Waits for messages once, and returns the milliseconds until the next round. */
  async #round(): Promise<number> {
    const { settings, log } = this.#options;
    const began = performance.now();
    const atOnce = this.#trouble !== undefined;
    const count = await this.#session.connect(this.#aborting.signal, { atOnce });
    if (this.#trouble !== undefined) log.info(`The Bayeux server at ${this.#server} is back`);
    this.#trouble = undefined;
    const { interval } = this.#session.advice;
    if (count > 0 || performance.now() - began >= SHORT_ROUND) {
      this.#failures = this.#shortRounds = 0;
      return interval;
    }
    const waits = ++this.#shortRounds - MOST_SHORT_ROUNDS;
    return waits > 0 ? Math.max(interval, waitAfter(waits, settings)) : interval;
  }

  /**
   * Returns the milliseconds to wait after an error, which the log tells of once.
   *
   * @throws {BrokerError} If the server advises not to connect again.
   */
  #waitAfter(error: BayeuxError): number {
    const { settings, log } = this.#options;
    const { reconnect, answered, message } = error;
    if (reconnect === "none") {
      throw new BrokerError(`${message}. It advises not to connect again`, { cause: error });
    }
    const isForgotten = reconnect === "handshake" && this.#isReady;
    if (reconnect === "handshake") this.#isReady = false;
    if (isForgotten && this.#failures++ === 0) {
      log.info(`${message}. The client introduces itself again; messages in between are lost`);
      return this.#session.advice.interval;
    }
    if (!isForgotten) this.#failures++;
    if (this.#trouble?.answered !== answered) {
      log[answered ? "error" : "warning"](`${message}. Trying again until it works`);
      this.#trouble = { answered };
    }
    return Math.max(this.#session.advice.interval, waitAfter(this.#failures, settings));
  }
}

function waitAfter(
  failures: number,
  { retryInterval, maxRetryInterval }: Pick<BayeuxSettings, "retryInterval" | "maxRetryInterval">,
): number {
  return growingDelay(failures, { first: retryInterval, longest: maxRetryInterval });
}
