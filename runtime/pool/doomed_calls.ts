/**
 * This file refuses calls that cannot be answered in time, so that a busy service spends its time on calls that
 * can.
 *
 * Only calls whose callers wait until a known time are refused: never events, messages and timers, whose effects
 * have to happen anyway. The measure is the shortest of the latest runs of an entrypoint. So a method that is
 * often fast and sometimes slow is not refused by mistake. If a measure has become wrong, it recovers: now and
 * then a call is let through in spite of it, and its run is measured as any other.
 *
 * A call without a deadline costs one comparison here, and no call allocates anything unless it is refused.
 */
import { type Clock, SYSTEM_CLOCK } from "../waiting/clock.ts";
import { CallTimeoutError } from "../message/errors.ts";
import { describeFailure } from "../message/failure.ts";
import { LogPause } from "../log/log_pause.ts";
import { failed, type Outcome } from "../message/outcome.ts";
import type { Invocation } from "../channel/port.ts";
import type { PoolOptions } from "./pool_options.ts";

/** Shortest time for which a measure counts, in milliseconds, and the number of runs that it needs. */
const WINDOW = 2_000;
const WINDOW_RUNS = 10;

/**
 * A run takes a little longer than the shortest one, and its answer has a way to go. So a call needs what is left
 * to be this many times the shortest run.
 */
const MARGIN = 1.1;

/** Shortest time between two calls that are let through in spite of the measure, in milliseconds. */
const PROBE_INTERVAL = 1_000;

/** The options of a pool that {@linkcode DoomedCalls} needs. */
export type DoomedCallsOptions = Pick<PoolOptions, "service" | "entrypoints" | "log" | "clock">;

/** Refuses calls that cannot be answered in time. */
export class DoomedCalls {
  readonly #options: DoomedCallsOptions;
  readonly #clock: Clock;
  readonly #measures: boolean;
  #runs: (LeastTime | undefined)[] = [];
  #refused = 0;
  readonly #pause = new LogPause();
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Numbers of the latest refusal, for the log. */
  #latest = { entrypoint: 0, left: 0, least: 0 };

  /** @param measures Whether to refuse calls that have some time left, too, but not enough. */
  constructor(options: DoomedCallsOptions, measures: boolean) {
    this.#options = options;
    this.#clock = options.clock ?? SYSTEM_CLOCK;
    this.#measures = measures;
  }

  /** Records that a run of an entrypoint has succeeded within `elapsed` milliseconds. */
  record(entrypoint: number, elapsed: number, now: number): void {
    (this.#runs[entrypoint] ??= new LeastTime()).record(elapsed, now);
  }

  /** Milliseconds that the latest runs of an entrypoint have taken at least; 0 while nothing is refused for it. */
  least(entrypoint: number): number {
    return this.#measures ? this.#runs[entrypoint]?.value ?? 0 : 0;
  }

  /** Decides about a call that is about to run. Returns its outcome if it is not to run. */
  refusalOf({ entrypoint, deadline, answerBy = deadline }: Invocation, now?: number): Outcome | undefined {
    if (answerBy === undefined) return undefined;
    const left = answerBy - this.#clock.now();
    if (left > 0) {
      const times = this.#measures ? this.#runs[entrypoint] : undefined;
      if (times === undefined || left >= times.value * MARGIN || times.probes(now ?? performance.now())) {
        return undefined;
      }
    }
    return this.#refuse(entrypoint, left);
  }

  /** Continues with the measurements of another pool. */
  inherit(former: DoomedCalls): void {
    this.#runs = former.#runs;
  }

  /** Tells what was refused since it was last told. */
  end(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    if (this.#refused > 0) this.#tell();
  }

  #refuse(entrypoint: number, left: number): Outcome {
    const least = this.least(entrypoint);
    this.#latest = { entrypoint, left, least };
    const wait = this.#pause.left();
    if (this.#refused++ === 0) {
      if (wait <= 0) this.#tell();
      else {
        this.#timer = setTimeout(() => this.end(), wait);
        Deno.unrefTimer(this.#timer);
      }
    }
    const reason = left <= 0
      ? "its deadline has passed"
      : `${Math.floor(left)} ms are left until its deadline, and it takes ${Math.ceil(least)} ms at least`;
    return failed(
      describeFailure(new CallTimeoutError(`Cannot run ${this.#name(entrypoint)}: ${reason}`)),
      true,
    );
  }

  #tell(): void {
    this.#pause.begin();
    const { entrypoint, left, least } = this.#latest;
    const calls = this.#refused === 1 ? "1 call that" : `${this.#refused.toLocaleString("en")} calls that`;
    this.#options.log.warning(
      `Refused ${calls} could not be answered in time. The latest was ${this.#name(entrypoint)}: ` +
        `${Math.max(0, Math.floor(left))} ms were left, and it takes ${Math.ceil(least)} ms at least. ` +
        "Allow callers more time, or raise max_workers or concurrency",
    );
    this.#refused = 0;
  }

  #name(entrypoint: number): string {
    const { service, entrypoints } = this.#options;
    const method = entrypoints?.[entrypoint]?.method;
    return method === undefined ? "the call" : `${service}.${method}`;
  }
}

/**
 * The shortest of the latest runs of one entrypoint.
 *
 * Runs are counted in windows. The value is the shortest run of the window before the present one and of the
 * present one, so it always covers one whole window, and a run that was short counts for two windows at most.
 */
class LeastTime {
  #former = Infinity;
  #present = Infinity;
  #runs = 0;
  #since = -Infinity;
  #probedAt = -Infinity;

  /** Milliseconds; 0 until a window is complete. */
  get value(): number {
    return this.#former === Infinity ? 0 : Math.min(this.#former, this.#present);
  }

  record(elapsed: number, now: number): void {
    if (this.#runs === 0) this.#since = now;
    this.#present = Math.min(this.#present, elapsed);
    if (++this.#runs < WINDOW_RUNS || now - this.#since < WINDOW) return;
    this.#former = this.#present;
    this.#present = Infinity;
    this.#runs = 0;
  }

  /** Says whether a call should run in spite of the value, to find out whether the value still holds. */
  probes(now: number): boolean {
    if (now - this.#probedAt < Math.max(PROBE_INTERVAL, 2 * this.value)) return false;
    this.#probedAt = now;
    return true;
  }
}
