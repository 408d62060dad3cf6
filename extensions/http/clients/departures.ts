/**
 * Cancels the calls that nobody waits for any more: the client has gone, or the time of the request is up.
 *
 * Most requests are answered before a client could go away, and listening to the signal of every request
 * costs more than it saves. So all requests share one timer. This class listens to the signal of a request
 * only when the timer finds the request for the second time.
 */
import { type Clock, SYSTEM_CLOCK } from "../../../runtime/waiting/clock.ts";
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";
import { PendingMap } from "../../../runtime/waiting/pending_map.ts";

/** Milliseconds between two looks at the requests. */
const INTERVAL = 100;

/** The steady time at which the time of a request is up, and the callback for it. */
export interface Expiry {
  readonly at: number;
  readonly onExpired: () => void;
}

interface Watched {
  readonly cancellation: Cancellation;
  readonly expiry: Expiry | undefined;
  looks: number;
}

/** Watches the requests of one service. */
export class Departures {
  readonly #watched = new PendingMap<Request, Watched>();
  /** Functions that end the listening to the signal of a request. */
  readonly #listening = new Map<Request, () => void>();
  readonly #clock: Clock;
  #timer: ReturnType<typeof setInterval> | undefined;

  /** @param clock Tells when the time of a request is up. The looks themselves take place in real time. */
  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
  }

  /** Begins to watch a request. When its time is up, the next look cancels its call. */
  watch(request: Request, expiry?: Expiry): Cancellation {
    const cancellation = new Cancellation();
    this.#watched.set(request, { cancellation, expiry, looks: 0 });
    this.#timer ??= setInterval(this.#look, INTERVAL);
    return cancellation;
  }

  /**
   * Ends the watch of a request that is being answered. Its signal lives as long as the connection, and after
   * this no longer keeps the call in memory.
   */
  forget(request: Request): void {
    this.#watched.delete(request);
    if (this.#listening.size === 0) return;
    this.#listening.get(request)?.();
    this.#listening.delete(request);
  }

  /** Ends the timer. Without this call, the timer ends itself at the next look that finds no request. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    if (this.#watched.size === 0) this.stop();
    const now = this.#clock.steady();
    for (const [request, watched] of this.#watched) {
      const { cancellation, expiry } = watched;
      if (++watched.looks === 2) this.#listening.set(request, listen(request.signal, cancellation));
      if (expiry === undefined ? watched.looks === 2 : now >= expiry.at) this.#watched.delete(request);
      if (expiry === undefined || now < expiry.at) continue;
      cancellation.cancel();
      expiry.onExpired();
    }
  };
}

function listen(signal: AbortSignal, cancellation: Cancellation): () => void {
  const cancel = () => cancellation.cancel();
  if (signal.aborted) cancel();
  else signal.addEventListener("abort", cancel, { once: true });
  return () => signal.removeEventListener("abort", cancel);
}
