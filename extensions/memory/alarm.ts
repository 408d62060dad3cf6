import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import { WakeTimer } from "../../runtime/waiting/wake_timer.ts";

/** An alarm rings a ringable at its deadline. */
export interface Ringable {
  /** The alarm calls this once, at the deadline or after it. */
  ring(now: number): void;
}

/**
 * An alarm watches many deadlines with at most one timer, which never keeps the process alive.
 *
 * The alarm has a timer only while it has a deadline and is not paused. Deadlines are steady times
 * of its clock.
 *
 * @internal
 */
export class Alarm {
  readonly #clock: Clock;
  readonly #deadlines = new Map<Ringable, number>();
  readonly #timer: WakeTimer;
  #paused = true;

  constructor(clock: Clock = SYSTEM_CLOCK) {
    this.#clock = clock;
    this.#timer = new WakeTimer(() => this.#ring(), { keepsAlive: false, clock });
  }

  /** Sets the one deadline of `ringable`. The deadline `Infinity` takes it away. */
  set(ringable: Ringable, deadline: number): void {
    if (deadline === Infinity) {
      this.#deadlines.delete(ringable);
      if (this.#deadlines.size === 0) this.#timer.reset(Infinity);
      return;
    }
    this.#deadlines.set(ringable, deadline);
    if (!this.#paused) this.#timer.by(deadline);
  }

  /** Stops the timer. What falls due meanwhile rings soon after {@linkcode Alarm.resume}. */
  pause(): void {
    this.#paused = true;
    this.#timer.reset(Infinity);
  }

  resume(): void {
    this.#paused = false;
    this.#timer.by(this.#earliest());
  }

  #ring(): void {
    const now = this.#clock.steady();
    const due = [...this.#deadlines].filter(([, deadline]) => deadline <= now);
    for (const [ringable] of due) {
      this.#deadlines.delete(ringable);
      ringable.ring(now);
    }
    if (!this.#paused) this.#timer.by(this.#earliest());
  }

  #earliest(): number {
    let earliest = Infinity;
    for (const deadline of this.#deadlines.values()) earliest = Math.min(earliest, deadline);
    return earliest;
  }
}
