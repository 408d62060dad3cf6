/**
 * This file runs calls whose callers wait at a connection, as the callers of HTTP and WebSocket do. Unlike
 * messages, such calls cannot go back to a queue. So a stop waits for them, and a call that the pool gives
 * back waits for a thread again.
 */
import { Cancellation } from "../waiting/cancellation.ts";
import type { EntrypointHost, HostedEntrypoint } from "./host.ts";
import type { Payload } from "../service/entrypoint.ts";
import type { Outcome } from "../message/outcome.ts";

/** Options of {@linkcode runHeld}. */
export interface RunHeldOptions {
  /** Cancels the call, while it waits and while it runs. */
  readonly cancellation?: Cancellation;
  /** Once this signal has aborted, the call does not wait again. */
  readonly signal: AbortSignal;
}

/**
 * Runs a call that cannot go back to a broker. If the pool gives the call back, it waits for a thread again.
 */
export async function runHeld(
  host: EntrypointHost,
  entry: HostedEntrypoint,
  payload: Payload,
  { cancellation, signal }: RunHeldOptions,
): Promise<Outcome> {
  let outcome = await host.run(entry, payload, cancellation);
  while (outcome.status === "unstarted" && outcome.reason === "shed" && !signal.aborted) {
    outcome = await host.run(entry, payload, cancellation);
  }
  return outcome;
}

/** Runs the calls of one host whose callers wait at a connection, and counts these callers. */
export class HeldCalls {
  readonly #host: EntrypointHost;
  readonly #onAbort: () => void;
  readonly #idle = Promise.withResolvers<void>();
  #held = 0;
  #stopping = false;

  /**
   * Makes the keeper of the calls of one entrypoint that wait for a thread.
   *
   * @param onAbort Called when a wait ends early because the container must stop at once.
   */
  constructor(host: EntrypointHost, onAbort: () => void = () => {}) {
    this.#host = host;
    this.#onAbort = onAbort;
  }

  /** Whether {@linkcode HeldCalls.finished} has been called. */
  get stopping(): boolean {
    return this.#stopping;
  }

  /** Counts a caller that has come. One {@linkcode HeldCalls.leave} must follow for each. */
  enter(): void {
    this.#held++;
  }

  /** Counts off a caller that has its answer. */
  leave(): void {
    if (--this.#held === 0 && this.#stopping) this.#idle.resolve();
  }

  /**
   * Runs a call as {@linkcode runHeld} does, until the container must stop at once.
   *
   * @param cancellation Cancels the call. @default {the call cannot be cancelled}
   */
  run(
    entry: HostedEntrypoint,
    payload: Payload,
    cancellation: Cancellation = new Cancellation(),
  ): Promise<Outcome> {
    return runHeld(this.#host, entry, payload, { cancellation, signal: this.#host.signal });
  }

  /** Waits until all counted callers have their answers, or until the container must stop at once. */
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
