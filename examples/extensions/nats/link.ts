import { BrokerError } from "@enoki/enoki";
import type { TransportStatus } from "@enoki/enoki/hosting";
import type { NatsAddress } from "./address.ts";
import { abortable, pause, Session, type SessionOptions } from "./session.ts";

/** Options of {@linkcode Link}. */
export interface LinkOptions extends SessionOptions {
  readonly onStatus: (status: TransportStatus) => void;
  /** Milliseconds by which the wait for the server grows with each attempt, and the longest wait. */
  readonly retryStep: number;
  readonly retryLimit: number;
  /** Called with each new session before anybody else uses it. It must not throw. */
  readonly attach: (session: Session) => Promise<void>;
  /** Called at the loss of a session. It must not throw. */
  readonly detach: () => void;
}

/** Keeps a session with the server: when one is lost, it opens the next. */
export class Link {
  readonly #address: NatsAddress;
  readonly #options: LinkOptions;
  readonly #closing = new AbortController();
  /** Resolves with the session that can be used; pending during an outage. */
  #session = Promise.withResolvers<Session>();
  #current: Session | undefined;

  constructor(address: NatsAddress, options: LinkOptions) {
    this.#address = address;
    this.#options = options;
    this.#session.promise.catch(() => {});
  }

  /** The session that is open. */
  get current(): Session | undefined {
    return this.#current;
  }

  async connect(signal?: AbortSignal): Promise<void> {
    this.#closing.signal.throwIfAborted();
    if (this.#current !== undefined) return;
    await this.#open(signal);
  }

  /** Waits until there is a session. Rejects if the transport is closed. */
  async session(): Promise<Session> {
    return await this.#session.promise;
  }

  /**
   * Does something with a session, and again with the next one if the first is lost meanwhile.
   *
   * @param action Words for the message of an error, which begins with "Cannot".
   */
  async run<Result>(action: string, work: (session: Session) => Promise<Result>): Promise<Result> {
    for (;;) {
      const session = await this.session();
      try {
        return await work(session);
      } catch (error) {
        if (session.signal.aborted && !this.#closing.signal.aborted) continue;
        if (error instanceof BrokerError) throw error;
        throw new BrokerError(`Cannot ${action}: ${(error as Error).message}`, { cause: error });
      }
    }
  }

  /** Refuses what comes from now on, and what waits for a session. */
  refuse(refusal: BrokerError): void {
    this.#closing.abort(refusal);
    this.#session.reject(refusal);
    this.#session = Promise.withResolvers();
    this.#session.promise.catch(() => {});
    this.#session.reject(refusal);
  }

  async #open(signal?: AbortSignal): Promise<void> {
    const { onStatus, attach } = this.#options;
    const signals = [this.#closing.signal, ...signal ? [signal] : []];
    const session = await Session.open(this.#address, this.#options, AbortSignal.any(signals));
    this.#current = session;
    session.signal.addEventListener("abort", () => this.#lost(session), { once: true });
    await abortable(attach(session), session.signal).catch(() => {});
    if (this.#closing.signal.aborted) await session.close();
    if (session.signal.aborted) return;
    onStatus({ state: "connected", broker: this.#address.broker });
    this.#session.resolve(session);
  }

  #lost(session: Session): void {
    if (this.#closing.signal.aborted) return;
    this.#current = undefined;
    this.#session.reject(session.signal.reason);
    this.#session = Promise.withResolvers();
    this.#session.promise.catch(() => {});
    this.#options.detach();
    this.#reconnect(session.signal.reason.message);
  }

  async #reconnect(cause: string): Promise<void> {
    const { onStatus, retryStep, retryLimit } = this.#options;
    const { broker } = this.#address;
    const { signal } = this.#closing;
    let reason = cause;
    for (let retryIn = retryStep; !signal.aborted; retryIn = Math.min(retryIn + retryStep, retryLimit)) {
      onStatus({ state: "lost", broker, reason, retryIn });
      try {
        await pause(retryIn, signal);
        return await this.#open();
      } catch (error) {
        reason = (error as Error).message;
      }
    }
  }
}
