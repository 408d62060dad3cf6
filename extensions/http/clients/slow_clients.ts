/**
 * What the server holds for its clients: a body that has not arrived whole, a response that is not taken.
 *
 * Invariant: no client that stands still is waited for longer than `stallTimeout`, and what is held for all of
 * them together is at most `maxHeld` bytes, or one body. It holds because `#waits` is in the order of the last
 * progress: the first is the one that has stood still for longest, so it is the first whose time is up and the
 * first to go when the bytes are too many. A response counts as a whole until its last piece has gone, and is held
 * by reference, which the one that gives it up lets go of; so nobody else may keep it, such as a listener to the
 * signal of a request, which lives as long as the connection. What is in the buffers of the connection (about 64 KiB, and the system's) goes with the
 * connection. Bodies that are too short to matter are not held here.
 */

/** Options of {@linkcode SlowClients}. */
export interface SlowClientsOptions {
  /** Milliseconds. */
  readonly stallTimeout: number;
  /** Bytes. */
  readonly maxHeld: number;
  /** Told why a client was given up. */
  readonly onGivenUp: (reason: string) => void;
}

/** One thing that a client must go on with. */
export interface Wait {
  /** Lets go of what is held. It is not called once the wait has ended. */
  readonly giveUp: () => void;
  /** When the client last went on, in the time of `performance.now()`. */
  since: number;
  /** Bytes. */
  held: number;
}

/** Milliseconds between two looks at most. */
const LOOK_INTERVAL = 1_000;

/** Gives up the clients that hold up too much, for too long. */
export class SlowClients {
  readonly #options: SlowClientsOptions;
  readonly #waits = new Set<Wait>();
  #held = 0;
  #timer: ReturnType<typeof setInterval> | undefined;

  constructor(options: SlowClientsOptions) {
    this.#options = options;
  }

  /** Makes a wait, which begins with {@linkcode SlowClients.hold}. */
  prepare(giveUp: () => void): Wait {
    return { giveUp, since: 0, held: 0 };
  }

  /** The client has gone on, and the next step is its own; `bytes` are held meanwhile. */
  hold(wait: Wait, bytes: number): void {
    this.release(wait);
    wait.since = performance.now();
    wait.held = bytes;
    this.#held += bytes;
    this.#waits.add(wait);
    this.#timer ??= setInterval(this.#look, Math.min(LOOK_INTERVAL, this.#options.stallTimeout / 4));
    while (this.#held > this.#options.maxHeld && this.#waits.size > 1) {
      this.#giveUpFirst(`more than ${this.#options.maxHeld} bytes wait for slow clients`);
    }
  }

  /** The next step is not the client's, or there is none. */
  release(wait: Wait): void {
    if (this.#waits.delete(wait)) this.#held -= wait.held;
  }

  /** Gives all clients up that are waited for. */
  abandon(): void {
    while (this.#waits.size > 0) this.#giveUpFirst("the server ends");
    this.stop();
  }

  /** Ends the timer, which otherwise ends itself at its next look. */
  stop(): void {
    clearInterval(this.#timer);
    this.#timer = undefined;
  }

  #giveUpFirst(reason: string): void {
    for (const wait of this.#waits) {
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
    for (const { since } of this.#waits) {
      if (since > latest) return;
      this.#giveUpFirst(`it stood still for ${stallTimeout} ms`);
    }
  };
}
