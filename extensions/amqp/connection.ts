import { setTimeout as sleep } from "node:timers/promises";
import { BrokerError } from "../../runtime/message/errors.ts";
import type { TransportStatus } from "../../runtime/message/transport.ts";
import { Link } from "./link.ts";
import type { LinkOptions } from "./link_options.ts";
import { reasonOf, roundRefusal } from "./refusal.ts";
import type { BrokerAddress } from "./uri.ts";

/** Options of {@linkcode Connection}. */
export interface ConnectionOptions extends Omit<LinkOptions, "onBlocked"> {
  /** Milliseconds before the second attempt. The first attempt comes at once. */
  readonly retryStart: number;
  /** Milliseconds by which the wait before each further attempt grows. */
  readonly retryStep: number;
  /** Milliseconds that the wait never exceeds. */
  readonly retryLimit: number;
  readonly onStatus: (status: TransportStatus) => void;
  /**
   * Brings a new link into use: declares the topology, resumes the consumers, and lets the publisher send.
   */
  readonly restore: (link: Link) => Promise<void>;
  /** Waits until no message is in flight, and lets none be sent until the returned function is called. */
  readonly isolate: () => Promise<() => void>;
}

/**
 * Keeps a link to one of the brokers of a list. It replaces each lost link, and tries to do so until it is
 * closed. The brokers are tried in turn, from the one behind the last. Only after a round of failures there is
 * a wait.
 */
export class Connection {
  readonly #addresses: readonly BrokerAddress[];
  /** All brokers, for messages. */
  readonly #brokers: string;
  /** Place of the broker that is tried first at the next attempt. */
  #next = 0;
  /** The broker of the present link, or of the last one. */
  #broker: string;
  readonly #options: ConnectionOptions;
  readonly #closing = new AbortController();
  #link: Link | undefined;
  #ready = Promise.withResolvers<Link>();
  #connecting: Promise<void> | undefined;
  #keeping: Promise<void> | undefined;
  /** Number of brokers that were tried in vain, or lost soon, since a link has last proved steady. */
  #attempts = 0;

  constructor(addresses: readonly [BrokerAddress, ...BrokerAddress[]], options: ConnectionOptions) {
    this.#addresses = addresses;
    this.#brokers = addresses.map(({ broker }) => broker).join(";");
    this.#broker = addresses[0].broker;
    this.#options = options;
    this.#ready.promise.catch(() => {});
  }

  /** The live link; undefined while there is none. */
  get link(): Link | undefined {
    return this.#link;
  }

  /**
   * Connects for the first time. Later calls share the result. After a failure, the next call tries again.
   */
  async connect(signal?: AbortSignal): Promise<void> {
    this.#assertOpen();
    this.#connecting ??= this.#establish(signal).then((link) => {
      this.#keeping = this.#keep(link);
    });
    try {
      await this.#connecting;
    } catch (error) {
      this.#connecting = undefined;
      throw error;
    }
  }

  /**
   * Runs a task on the live link, and runs it again on the next link if the link is lost meanwhile.
   *
   * If the broker closed the link to refuse something, the task may be the cause. So it runs alone on the next
   * link, and fails if that link is closed in the same way.
   */
  async run<T>(task: (link: Link) => Promise<T>): Promise<T> {
    for (let strikes = 0;;) {
      this.assertUsable();
      const link = await this.#ready.promise;
      const release = strikes > 0 ? await this.#options.isolate() : undefined;
      const isRun = link.alive;
      link.tasks++;
      try {
        if (isRun) return await task(link);
      } catch (error) {
        if (link.alive) throw error;
        if (link.refusal !== undefined && ++strikes > 1 && (link.tasks === 1 || strikes > MOST_STRIKES)) {
          throw error;
        }
      } finally {
        link.tasks--;
        release?.();
      }
    }
  }

  /** @throws {BrokerError} If the connection is closed, or if `connect()` was not called or has failed. */
  assertUsable(): void {
    this.#assertOpen();
    if (this.#connecting === undefined) {
      throw new BrokerError(`Cannot use broker ${this.#brokers}: not connected. Call connect() first`);
    }
  }

  /**
   * Ends the link, or the attempts to get one.
   *
   * @param limit Milliseconds that the broker has to answer.
   */
  async close(limit: number): Promise<void> {
    if (this.#closing.signal.aborted) return;
    const link = this.#link;
    this.#closing.abort(this.#closedError());
    await link?.close(limit);
    await this.#connecting?.catch(() => {});
    await this.#keeping;
    this.#ready.reject(this.#closedError());
  }

  /** Waits for the loss of each link and puts a new link in its place. */
  async #keep(first: Link): Promise<void> {
    for (let link: Link | undefined = first; link !== undefined;) {
      const since = performance.now();
      const reason: Error = await link.lost;
      if (performance.now() - since >= LASTING) this.#attempts = 0;
      this.#link = undefined;
      this.#ready = Promise.withResolvers();
      this.#ready.promise.catch(() => {});
      link = this.#closing.signal.aborted ? undefined : await this.#replace(reason);
    }
  }

  async #replace(lost: Error): Promise<Link | undefined> {
    const { signal } = this.#closing;
    let reason = reasonOf(lost);
    for (;;) {
      const brokers = this.#addresses.length;
      const retryIn = this.backoff(Math.floor(this.#attempts++ / brokers));
      this.#options.onStatus({ state: "lost", broker: this.#broker, reason, retryIn });
      try {
        await sleep(retryIn, undefined, { signal });
        return await this.#establish();
      } catch (error) {
        if (signal.aborted) return undefined;
        this.#attempts += brokers - 1;
        reason = reasonOf(error);
      }
    }
  }

  /**
   * Returns the milliseconds before an attempt. A random part spreads the clients of a broker, so that they
   * do not all come back at the same time.
   */
  backoff(attempt: number): number {
    if (attempt === 0) return 0;
    const { retryStart, retryStep, retryLimit } = this.#options;
    const wait = Math.min(retryStart + (attempt - 1) * retryStep, retryLimit);
    return Math.round(wait * (0.9 + 0.1 * Math.random()));
  }

  /** Tries each broker once. */
  async #establish(caller?: AbortSignal): Promise<Link> {
    const closing = this.#closing.signal;
    const signal = caller === undefined ? closing : AbortSignal.any([closing, caller]);
    const errors: Error[] = [];
    for (let left = this.#addresses.length; left > 0; left--) {
      const address = this.#addresses[this.#next]!;
      this.#next = (this.#next + 1) % this.#addresses.length;
      try {
        return await this.#open(address, signal);
      } catch (error) {
        signal.throwIfAborted();
        errors.push(error as Error);
      }
    }
    throw roundRefusal(errors);
  }

  async #open(address: BrokerAddress, signal: AbortSignal): Promise<Link> {
    const { broker } = address;
    const onBlocked = this.#onBlocked(broker);
    const link = await Link.open(address, { ...this.#options, onBlocked }, signal);
    const giveUp = () => void link.fail(signal.reason);
    signal.addEventListener("abort", giveUp);
    try {
      signal.throwIfAborted();
      await this.#options.restore(link);
      if (!link.alive) throw await link.lost;
    } catch (error) {
      const cause = link.alive ? error as Error : await link.lost;
      await link.fail(cause);
      throw cause;
    } finally {
      signal.removeEventListener("abort", giveUp);
    }
    this.#link = link;
    this.#broker = broker;
    this.#ready.resolve(link);
    this.#options.onStatus({ state: "connected", broker });
    return link;
  }

  #onBlocked(broker: string): LinkOptions["onBlocked"] {
    return (reason) =>
      this.#options.onStatus(
        reason === undefined ? { state: "unblocked", broker } : { state: "blocked", broker, reason },
      );
  }

  #assertOpen(): void {
    if (this.#closing.signal.aborted) throw this.#closedError();
  }

  #closedError(): BrokerError {
    return new BrokerError(`Cannot use broker ${this.#brokers}: the transport is closed`);
  }
}

/** Number of lost links after which a task fails that other tasks accompanied each time. */
const MOST_STRIKES = 3;

/**
 * Milliseconds after which a link counts as steady, so that its loss is repaired at once. The wait before each
 * attempt grows until a link has lasted so long, or else a broker that ends each link would be connected to
 * without a pause.
 */
const LASTING = 10_000;
