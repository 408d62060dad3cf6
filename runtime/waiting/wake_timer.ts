import { LONGEST_TIMER } from "./abort.ts";

/** Options of {@linkcode WakeTimer}. */
export interface WakeTimerOptions {
  /** Whether the process stays alive for the timer. @default {true} */
  readonly keepsAlive?: boolean;
}

/** A timer for the earliest of several times. All times are times of `performance.now()`. */
export class WakeTimer {
  readonly #wake: () => void;
  readonly #keepsAlive: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  /** @param wake The timer calls it when the time has come. No time is set then. */
  constructor(wake: () => void, { keepsAlive = true }: WakeTimerOptions = {}) {
    this.#wake = wake;
    this.#keepsAlive = keepsAlive;
  }

  /** Whether a time is set. */
  get isSet(): boolean {
    return this.#at !== Infinity;
  }

  /** Makes the timer wake at `time` at the latest. */
  by(time: number): void {
    if (time >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = time;
    this.#sleep();
  }

  /** Makes the timer wake at `time` and not before. With `Infinity` it never wakes. */
  reset(time: number): void {
    if (this.#at === -Infinity) return;
    clearTimeout(this.#timer);
    this.#at = Infinity;
    this.by(time);
  }

  /** Stops the timer. It wakes no more, even if {@linkcode WakeTimer.by} is called later. */
  close(): void {
    clearTimeout(this.#timer);
    this.#at = -Infinity;
  }

  #sleep(): void {
    const left = this.#at - performance.now();
    this.#timer = setTimeout(this.#fire, Math.min(Math.max(1, left), LONGEST_TIMER));
    if (!this.#keepsAlive) Deno.unrefTimer(this.#timer);
  }

  /** Wakes, or sleeps on: a time that is further away than a timer can wait takes several steps. */
  readonly #fire = (): void => {
    if (this.#at - performance.now() > TOLERANCE) return this.#sleep();
    this.#at = Infinity;
    this.#wake();
  };
}

/** Milliseconds by which a timer may fire too early. */
const TOLERANCE = 1_000;
