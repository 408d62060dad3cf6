/**
 * Cancels the calls that nobody waits for any more: their clients have gone, or their time is up.
 *
 * Most requests are answered sooner than anybody could go away, and to listen to the signal of each costs more
 * than it saves. So all requests share one timer, and only those that it finds twice are listened to.
 */
import { Cancellation } from "../../../runtime/waiting/cancellation.ts";

/** Milliseconds between two looks. */
const INTERVAL = 100;

/** When a request's time is up, in the time of `performance.now()`, and what is to be done then. */
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
  readonly #watched = new Map<Request, Watched>();
  /** Ends listening to the signal of a request. */
  readonly #listening = new Map<Request, () => void>();
  #timer: ReturnType<typeof setInterval> | undefined;

  /** Begins to watch a request; one that expires is cancelled at the next look. */
  watch(request: Request, expiry?: Expiry): Cancellation {
    const cancellation = new Cancellation();
    this.#watched.set(request, { cancellation, expiry, looks: 0 });
    this.#timer ??= setInterval(this.#look, INTERVAL);
    return cancellation;
  }

  /** The request is being answered: its signal, which lives as long as the connection, no longer holds the call. */
  forget(request: Request): void {
    this.#watched.delete(request);
    if (this.#listening.size === 0) return;
    this.#listening.get(request)?.();
    this.#listening.delete(request);
  }

  /** Ends the timer, which otherwise ends itself at its next look. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  readonly #look = (): void => {
    if (this.#watched.size === 0) this.stop();
    const now = performance.now();
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
