import type { Clock } from "../../../extensions/timer/clock.ts";

interface Sleeper {
  readonly wakeAt: number;
  readonly wake: () => void;
}

/** A clock that stands still until the test moves it. */
export class FakeClock implements Clock {
  #now: number;
  #sleeper: Sleeper | undefined;

  constructor(now = 0) {
    this.#now = now;
  }

  now(): number {
    return this.#now;
  }

  pause(duration: number, signal: AbortSignal): Promise<void> {
    signal.throwIfAborted();
    const { promise, resolve, reject } = Promise.withResolvers<void>();
    this.#sleeper = { wakeAt: this.#now + duration, wake: resolve };
    signal.addEventListener("abort", () => reject(signal.reason), { once: true });
    return promise;
  }

  /** Moves on, waking who sleeps at the time asked for, and lets all that follows from it happen. */
  async moveTo(time: number): Promise<void> {
    for (;;) {
      await new Promise((resolve) => setTimeout(resolve));
      const sleeper = this.#sleeper;
      if (sleeper === undefined || sleeper.wakeAt > time) break;
      this.#now = sleeper.wakeAt;
      this.#sleeper = undefined;
      sleeper.wake();
    }
    this.#now = time;
  }
}
