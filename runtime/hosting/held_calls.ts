/**
 * Calls whose callers wait at a connection, as those of HTTP and WebSocket do: they have nowhere to go back to,
 * as messages have, so a stop waits for them, and what the pool gives back waits again.
 */
import type { Cancellation } from "../waiting/cancellation.ts";
import type { EntrypointHost } from "./host.ts";
import type { Invocation } from "../channel/port.ts";
import type { Outcome } from "../message/outcome.ts";

/** The calls of one host that are held so. */
export class HeldCalls {
  readonly #host: EntrypointHost;
  readonly #onAbort: () => void;
  readonly #idle = Promise.withResolvers<void>();
  #held = 0;
  #stopping = false;

  /** @param onAbort Called when a wait is cut short because the container must stop at once. */
  constructor(host: EntrypointHost, onAbort: () => void = () => {}) {
    this.#host = host;
    this.#onAbort = onAbort;
  }

  /** Whether {@linkcode HeldCalls.finished} has been called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** A caller has come; each is followed by one {@linkcode HeldCalls.leave}. */
  enter(): void {
    this.#held++;
  }

  /** A caller has its answer. */
  leave(): void {
    if (--this.#held === 0 && this.#stopping) this.#idle.resolve();
  }

  /** Runs a call; other entrypoints give waiting calls back to their broker, here they wait again. */
  async run(invocation: Invocation, cancellation: Cancellation): Promise<Outcome> {
    let outcome = await this.#host.run(invocation, cancellation);
    while (outcome.status === "unstarted" && outcome.reason === "shed" && !this.#host.signal.aborted) {
      outcome = await this.#host.run(invocation, cancellation);
    }
    return outcome;
  }

  /** Waits until the callers that are here have their answers, or until the container must stop at once. */
  async finished(): Promise<void> {
    this.#stopping = true;
    if (this.#held > 0) await this.orAborted(this.#idle.promise);
  }

  /** Waits for `event`, or until the container must stop at once. */
  async orAborted(event: Promise<unknown>): Promise<void> {
    const { signal } = this.#host;
    const { promise, resolve } = Promise.withResolvers<void>();
    const abort = () => {
      this.#onAbort();
      resolve();
    };
    signal.addEventListener("abort", abort, { once: true });
    if (signal.aborted) abort();
    await Promise.race([event, promise]);
    signal.removeEventListener("abort", abort);
  }
}
