import { type Clock, LONGEST_TIMER, SYSTEM_CLOCK, type TimerName } from "./clock.ts";

/** Options of {@linkcode WakeTimer}. */
export interface WakeTimerOptions {
  /** Whether the process stays alive for the timer. @default {true} */
  readonly keepsAlive?: boolean;
  /** @default {the clock of the machine} */
  readonly clock?: Clock;
}

/** A timer for the earliest of several times. All times are steady times of its clock. */
export class WakeTimer {
  readonly #wake: () => void;
  readonly #keepsAlive: boolean;
  readonly #clock: Clock;
  #timer: TimerName | undefined;
  #at = Infinity;

  /** @param wake The timer calls it when the time has come. No time is set then. */
  constructor(wake: () => void, { keepsAlive = true, clock = SYSTEM_CLOCK }: WakeTimerOptions = {}) {
    this.#wake = wake;
    this.#keepsAlive = keepsAlive;
    this.#clock = clock;
  }

  /** Whether a time is set. */
  get isSet(): boolean {
    return this.#at !== Infinity;
  }

  /** Makes the timer wake at `time` at the latest. */
  by(time: number): void {
    if (time >= this.#at) return;
    this.#clock.clearTimer(this.#timer);
    this.#at = time;
    this.#sleep();
  }

  /** Makes the timer wake at `time` and not before. With `Infinity` it never wakes. */
  reset(time: number): void {
    if (this.#at === -Infinity) return;
    this.#clock.clearTimer(this.#timer);
    this.#at = Infinity;
    this.by(time);
  }

  /** Stops the timer. It wakes no more, even if {@linkcode WakeTimer.by} is called later. */
  close(): void {
    this.#clock.clearTimer(this.#timer);
    this.#at = -Infinity;
  }

  #sleep(): void {
    const delay = Math.min(Math.max(1, this.#at - this.#clock.steady()), LONGEST_TIMER);
    this.#timer = this.#clock.setTimer(this.#fire, delay, this.#keepsAlive);
  }

  /** Wakes, or sleeps on: a time that is further away than a timer can wait takes several steps. */
  readonly #fire = (): void => {
    if (this.#at - this.#clock.steady() > TOLERANCE) return this.#sleep();
    this.#at = Infinity;
    this.#wake();
  };
}

/** Milliseconds by which a timer may fire too early. */
const TOLERANCE = 1_000;
