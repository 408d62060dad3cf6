import { LONGEST_TIMER } from "./abort.ts";

/** Options of {@linkcode WakeTimer}. */
export interface WakeTimerOptions {
  /** Whether the process stays alive for it. @default {true} */
  readonly keepsAlive?: boolean;
}

/** A timer for the earliest of several times, in the time of `performance.now()`. */
export class WakeTimer {
  readonly #wake: () => void;
  readonly #keepsAlive: boolean;
  #timer: ReturnType<typeof setTimeout> | undefined;
  #at = Infinity;

  /** @param wake Called when it is time, with nothing set any more. */
  constructor(wake: () => void, { keepsAlive = true }: WakeTimerOptions = {}) {
    this.#wake = wake;
    this.#keepsAlive = keepsAlive;
  }

  /** Whether it is set. */
  get isSet(): boolean {
    return this.#at !== Infinity;
  }

  /** Wakes at `time` at the latest. */
  by(time: number): void {
    if (time >= this.#at) return;
    clearTimeout(this.#timer);
    this.#at = time;
    this.#sleep();
  }

  /** Wakes at `time` and not before; infinite for never. */
  reset(time: number): void {
    clearTimeout(this.#timer);
    this.#at = Infinity;
    this.by(time);
  }

  /** Wakes no more, whatever it is told. */
  close(): void {
    clearTimeout(this.#timer);
    this.#at = -Infinity;
  }

  #sleep(): void {
    const left = this.#at - performance.now();
    this.#timer = setTimeout(this.#fire, Math.min(Math.max(1, left), LONGEST_TIMER));
    if (!this.#keepsAlive) Deno.unrefTimer(this.#timer);
  }

  /** A time that is further away than a timer can wait is waited for in several steps. */
  readonly #fire = (): void => {
    if (this.#at - performance.now() > TOLERANCE) return this.#sleep();
    this.#at = Infinity;
    this.#wake();
  };
}

/** Milliseconds by which a timer may fire too early. */
const TOLERANCE = 1_000;
