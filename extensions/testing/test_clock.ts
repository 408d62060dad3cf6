import { ageOf } from "../../runtime/waiting/age.ts";
import { millisecondsOf, OR_TEXT } from "../../runtime/waiting/duration.ts";
import { type Clock, SYSTEM_CLOCK } from "../../runtime/waiting/clock.ts";
import { requireKnown } from "../../runtime/service/options/known_options.ts";
import { Turns } from "../../runtime/waiting/turns.ts";

/** Options of {@linkcode testClock}. */
export interface TestClockOptions {
  /** What the clock shows at first: a date, its text, or milliseconds since the epoch. @default {the present time} */
  readonly start?: Date | string | number;
  /**
   * Real milliseconds for which the clock waits for calls that do nothing: they may wait for a database or a file, or
   * for the time that only the clock can bring.
   *
   * @default {250}
   */
  readonly patience?: number;
}

/** A clock that stands still until a test moves it. */
export interface TestClock extends Clock {
  /** Number of timers that are set. */
  readonly timers: number;
  /**
   * Moves the clock on, and wakes on the way what is due, in the order of time.
   *
   * Before it goes on from any moment, it lets the work settle that has begun: until no call of services and clients
   * that have this clock runs or waits for a thread or an answer, and nothing has happened for some turns of the event
   * loop. A call for which nothing happens for as long as `patience` is taken to wait for the time, and is not waited
   * for any more. The clock cannot know of work outside of such calls: what a handler has left running that waits for a
   * file or a socket, or what a broker in another process does.
   *
   * Moves take place one after the other.
   *
   * @param by Milliseconds, or a text with units: `500ms`, `90s`, `1m30s`, `1h`, `7d`, or `7D`.
   * @throws {TypeError} If it is neither.
   * @throws {RangeError} If it is negative or infinite.
   */
  advance(by: number | string): Promise<void>;
  /**
   * Moves the clock on to a time. See {@linkcode TestClock.advance}.
   *
   * @param time A date, its text, or milliseconds since the epoch.
   * @throws {RangeError} If the clock is past that time already, or it is none.
   */
  advanceTo(time: Date | string | number): Promise<void>;
}

/**
 * Makes a clock for a test of services, to be passed as `clock` to `testServices()`, or to all that take part: `run()`, `connect()`,
 * `memory()`.
 *
 * It moves their timers, delayed retries, expirations, time limits of calls, rates, circuits and caches. It does not
 * move `Date` and `setTimeout`, which handlers may use: it changes nothing outside of itself. A dependency of your own
 * finds it as `clock` of its host. For services in threads it moves what the main thread does for them, but not the
 * time in the threads.
 *
 * @throws {TypeError} If an option is not known.
 * @throws {RangeError} If the start is no time, or the patience is negative.
 *
 * @example
 * ```ts ignore
 * import { memory } from "@enoki/enoki/memory";
 * import { run } from "@enoki/enoki/run";
 * import { testClock } from "@enoki/enoki/testing";
 *
 * const clock = testClock({ start: "2030-01-01T00:00:00Z" });
 * await using running = await run([orders], { broker: memory({ clock }), clock, threads: { kind: "inline" } });
 * await clock.advance("1h");
 * ```
 */
export function testClock(options: TestClockOptions = {}): TestClock {
  requireKnown("Cannot make a test clock", "it", options, { start: true, patience: true });
  const { start = SYSTEM_CLOCK.now(), patience = 250 } = options;
  if (!(patience >= 0)) {
    throw new RangeError(`Cannot make a test clock: its patience is ${patience}, not 0 or more`);
  }
  return new MovedClock(timeOf(start, "Cannot make a test clock"), patience);
}

/** A timer that has not fired. */
interface SetTimer {
  readonly at: number;
  readonly wake: () => void;
}

/** Turns of the event loop without an event after which the work counts as settled. */
const QUIET_TURNS = 10;

/** Real milliseconds between two looks at calls for which nothing happens. */
const LOOK_INTERVAL = 2;

class MovedClock implements TestClock {
  /** Waits are as long as they are asked for: this clock does not jump. */
  readonly longestWait = Infinity;
  readonly #patience: number;
  readonly #start: number;
  readonly #turns = new Turns();
  readonly #timers = new Map<number, SetTimer>();
  /** Work to wait for. */
  readonly #running = new Set<Promise<unknown>>();
  #steady = 0;
  #lastTimer = 0;
  /** Grows with all that happens. */
  #events = 0;

  constructor(start: number, patience: number) {
    this.#start = start;
    this.#patience = patience;
  }

  get timers(): number {
    return this.#timers.size;
  }

  now(): number {
    return this.#start + this.#steady;
  }

  steady(): number {
    return this.#steady;
  }

  setTimer(wake: () => void, delay: number): number {
    this.#events++;
    const timer = ++this.#lastTimer;
    // Whole milliseconds, so that no sum of fractions is a little less than the time asked for.
    this.#timers.set(timer, { at: this.#steady + Math.max(0, Math.ceil(delay)), wake });
    if (!(delay > 0)) setImmediate(() => this.#fire(timer));
    return timer;
  }

  clearTimer(timer: number | undefined): void {
    if (timer !== undefined && this.#timers.delete(timer)) this.#events++;
  }

  during<Value>(work: Promise<Value>): Promise<Value> {
    this.#events++;
    this.#running.add(work);
    const end = () => {
      this.#events++;
      this.#running.delete(work);
    };
    work.then(end, end);
    return work;
  }

  async advance(by: number | string): Promise<void> {
    const duration = ageOf(by) ?? millisecondsOf(by);
    if (typeof by !== "number" && Number.isNaN(duration)) {
      throw new TypeError(`Cannot move the clock by ${JSON.stringify(by)}: pass milliseconds, ${OR_TEXT}`);
    }
    if (!(duration >= 0 && duration < Infinity)) {
      throw new RangeError(
        `Cannot move the clock by ${by} ms: it only goes on, and never to the end of time`,
      );
    }
    await this.#turns.take([this], () => this.#moveTo(this.#steady + Math.ceil(duration)));
  }

  async advanceTo(time: Date | string | number): Promise<void> {
    const wanted = timeOf(time, "Cannot move the clock");
    await this.#turns.take([this], async () => {
      if (wanted < this.now()) {
        throw new RangeError(
          `Cannot move the clock to ${showTime(wanted)}: it shows ${
            showTime(this.now())
          }, and never goes back`,
        );
      }
      await this.#moveTo(wanted - this.#start);
    });
  }

  async #moveTo(target: number): Promise<void> {
    await this.#settle();
    for (let next; (next = this.#earliest()) <= target;) {
      this.#steady = Math.max(this.#steady, next);
      const due = [...this.#timers].filter(([, { at }]) => at <= next);
      for (const [timer] of due) this.#fire(timer);
      await this.#settle();
    }
    this.#steady = target;
  }

  #earliest(): number {
    let earliest = Infinity;
    for (const { at } of this.#timers.values()) if (at < earliest) earliest = at;
    return earliest;
  }

  /** Fires a timer, unless it was cleared in the meantime. */
  #fire(timer: number): void {
    const wake = this.#timers.get(timer)?.wake;
    this.clearTimer(timer);
    wake?.();
  }

  async #settle(): Promise<void> {
    let quiet = 0;
    let seen = this.#events;
    let since = performance.now();
    while (quiet < QUIET_TURNS || this.#running.size > 0) {
      await (quiet < QUIET_TURNS ? turn() : rest());
      if (seen !== this.#events) {
        seen = this.#events;
        since = performance.now();
        quiet = 0;
      } else if (++quiet > QUIET_TURNS && performance.now() - since >= this.#patience) this.#running.clear();
    }
  }
}

/** Waits for a turn of the event loop. */
function turn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}

/** Leaves the processor to others for a moment. */
function rest(): Promise<void> {
  return new Promise((resolve) => setTimeout(resolve, LOOK_INTERVAL));
}

/** @throws {RangeError} If it is no time. */
function timeOf(time: Date | string | number, action: string): number {
  const milliseconds = new Date(time).getTime();
  if (!Number.isNaN(milliseconds)) return milliseconds;
  throw new RangeError(
    `${action}: ${
      JSON.stringify(time)
    } is no time. Pass a date, its text as in 2030-01-31T00:00:00Z, or milliseconds`,
  );
}

function showTime(time: number): string {
  return new Date(time).toISOString();
}
