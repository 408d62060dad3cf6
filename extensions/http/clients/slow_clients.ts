/**
 * Limits the bodies that the server holds for its clients: a request that has not arrived as a whole, or a
 * response that the client has not taken.
 *
 * Invariant: the server waits no longer than `stallTimeout` for a client that stands still, and the bodies
 * that it holds for all clients have at most `maxHeld` bytes together, or are one body. This holds because
 * `#waits` is in the order of the last progress. The first wait has stood still for longest, so its time is
 * up first, and it goes first when the bytes are too many. A response counts as a whole until its last piece
 * has gone. The server holds the response by reference, and `giveUp` drops this reference. So the invariant
 * fails if anything else keeps the response: for example a listener to the signal of a request, which lives
 * as long as the connection. The bytes in the buffers of the connection (about 64 KiB, and the system's) go
 * with the connection. Bodies that are too short to matter do not count here.
 */
import { PendingMap } from "../../../runtime/waiting/pending_map.ts";

/** Options of {@linkcode SlowClients}. */
export interface SlowClientsOptions {
  /** Milliseconds that a client may stand still. */
  readonly stallTimeout: number;
  /** Bytes that the server may hold for all clients together. */
  readonly maxHeld: number;
  /** Called with the reason each time the server gives up a client. */
  readonly onGivenUp: (reason: string) => void;
}

/** A wait for the next step of a client. */
export interface Wait {
  /** Drops the body that is held. It is not called after the wait has ended. */
  readonly giveUp: () => void;
  /** The moment of the client's last progress, as `performance.now()` counts it. */
  since: number;
  /** Bytes that the server holds for this wait. */
  held: number;
}

/** Milliseconds that lie between two looks at most. */
const LOOK_INTERVAL = 1_000;

/** Gives up clients that stand still for too long, or for which the server holds too many bytes. */
export class SlowClients {
  readonly #options: SlowClientsOptions;
  readonly #waits = new PendingMap<Wait, Wait>();
  #held = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SlowClientsOptions) {
    this.#options = options;
  }

  /** Makes a wait, which begins only with {@linkcode SlowClients.hold}. */
  prepare(giveUp: () => void): Wait {
    return { giveUp, since: 0, held: 0 };
  }

  /**
   * Begins a wait, or begins it anew after progress: the next step is the client's.
   *
   * @param bytes Bytes that the server holds meanwhile.
   */
  hold(wait: Wait, bytes: number): void {
    this.release(wait);
    wait.since = performance.now();
    wait.held = bytes;
    this.#held += bytes;
    this.#waits.set(wait, wait);
    this.#timer ??= setInterval(this.#look, Math.min(LOOK_INTERVAL, this.#options.stallTimeout / 4));
    while (this.#held > this.#options.maxHeld && this.#waits.size > 1) {
      this.#giveUpFirst(`more than ${this.#options.maxHeld} bytes wait for slow clients`);
    }
  }

  /** Ends a wait: the next step is not the client's, or there is no next step. */
  release(wait: Wait): void {
    if (this.#waits.delete(wait)) this.#held -= wait.held;
  }

  /** Gives up all clients that the server waits for. */
  abandon(): void {
    while (this.#waits.size > 0) this.#giveUpFirst("the server ends");
    this.stop();
  }

  /** Ends the timer. Without this call, the timer ends itself at the next look that finds no wait. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #giveUpFirst(reason: string): void {
    for (const wait of this.#waits.values()) {
      this.release(wait);
      wait.giveUp();
      this.#options.onGivenUp(reason);
      return;
    }
  }

  readonly #look = (): void => {
    if (this.#waits.size === 0) this.stop();
    const { stallTimeout } = this.#options;
    const latest = performance.now() - stallTimeout;
    for (const { since } of this.#waits.values()) {
      if (since > latest) return;
      this.#giveUpFirst(`it stood still for ${stallTimeout} ms`);
    }
  };
}
