/**
 * Holds the calls of one entrypoint to its limits.
 *
 * Invariant: each call gets exactly one outcome. A held call is in `#held` until it begins, its deadline passes, it is
 * cancelled, or it is given back; whatever comes first takes it out. `#running` counts the calls that have begun and
 * whose outcome, or the end of whose stream, has not come. So it never exceeds the limit, and a call that ends lets
 * the next one begin. A call whose timeout has passed has its outcome, though its handler may take a moment to end.
 */
import type { Failure } from "../../message/failure.ts";
import { describeFailure } from "../../message/failure.ts";
import { BulkheadFullError, CallTimeoutError, RateLimitedError } from "../../message/errors.ts";
import { failed, type Outcome } from "../../message/outcome.ts";
import type { OverLimit } from "../../service/limits/method_limits.ts";
import type { Rate } from "../../service/limits/rate.ts";
import type { Cancellation } from "../../waiting/cancellation.ts";
import { type Clock, SYSTEM_CLOCK } from "../../waiting/clock.ts";
import { TokenBucket } from "../../waiting/token_bucket.ts";
import { WakeTimer } from "../../waiting/wake_timer.ts";

/** Largest number of calls of one entrypoint that wait for their turn while their callers wait for an answer. */
export const MOST_WAITING = 1_000;

/** Why a call did not begin. */
export type LimitRefusal = "rate" | "full" | "deadline";

/** The limits of one entrypoint. */
export interface EntryLimitOptions {
  /** Names the method, as `service.method`. */
  readonly name: string;
  readonly concurrency: number | undefined;
  readonly rate: Rate | undefined;
  readonly overLimit: OverLimit;
  /** Called when calls have begun to be held, or are held no more, with the difference. */
  readonly onHeld: (more: number) => void;
  readonly onRefused: (reason: LimitRefusal) => void;
  /** @default {the clock of the machine} */
  readonly clock?: Clock;
}

/** A call that waits for its turn. */
interface HeldCall {
  readonly start: () => Promise<Outcome>;
  readonly settle: (outcome: Outcome | Promise<Outcome>) => void;
  /** Epoch milliseconds after which nobody waits for it. */
  readonly deadline: number;
}

/** Holds the calls of one entrypoint to its limits. */
export class EntryLimit {
  readonly #options: EntryLimitOptions;
  readonly #bucket: TokenBucket | undefined;
  readonly #held: HeldCall[] = [];
  readonly #clock: Clock;
  readonly #timer: WakeTimer;
  #running = 0;

  constructor(options: EntryLimitOptions) {
    this.#options = options;
    const { rate, clock = SYSTEM_CLOCK } = options;
    this.#clock = clock;
    this.#bucket = rate && new TokenBucket(rate, clock);
    this.#timer = new WakeTimer(() => this.#look(), { clock });
  }

  /**
   * Starts a call when the limits let it begin; never rejects.
   *
   * @param deadline Epoch milliseconds after which nobody waits for the call.
   */
  run(
    start: () => Promise<Outcome>,
    deadline: number = Infinity,
    cancellation?: Cancellation,
  ): Promise<Outcome> {
    const { overLimit } = this.#options;
    if (overLimit === "refuse" && this.#bucket?.take() === false) return this.#refuse("rate");
    if (this.#held.length === 0 && this.#takeTurn()) return this.#begin(start);
    if (overLimit !== "hold" && this.#held.length >= MOST_WAITING) return this.#refuse("full");
    return new Promise((settle) => {
      const call = { start, settle, deadline };
      this.#held.push(call);
      this.#options.onHeld(1);
      cancellation?.onCancel(() => this.#drop(call, { status: "unstarted", reason: "cancelled" }));
      if (deadline !== Infinity) this.#timer.by(this.#clock.steady() + deadline - this.#clock.now());
      this.#beginNext();
    });
  }

  /** Gives back the calls that are held. */
  giveBack(reason: "shed" | "stopping"): void {
    for (const call of [...this.#held]) this.#drop(call, { status: "unstarted", reason });
  }

  /** Says whether a call may begin, and takes what it needs for that. */
  #takeTurn(): boolean {
    const { concurrency = Infinity, overLimit } = this.#options;
    if (this.#running >= concurrency) return false;
    // Where calls above the rate are refused, this one has its token.
    return overLimit === "refuse" || this.#bucket === undefined || this.#bucket.take();
  }

  async #begin(start: () => Promise<Outcome>): Promise<Outcome> {
    this.#running++;
    const outcome = await start();
    if (outcome.status === "done" && outcome.stream !== undefined) outcome.stream.onEnd(() => this.#end());
    else this.#end();
    return outcome;
  }

  #end(): void {
    this.#running--;
    this.#beginNext();
  }

  #beginNext(): void {
    while (this.#held.length > 0 && this.#takeTurn()) {
      const { start, settle } = this.#held.shift()!;
      this.#left();
      settle(this.#begin(start));
    }
    const isRoom = this.#running < (this.#options.concurrency ?? Infinity);
    if (this.#held.length > 0 && isRoom) this.#timer.by(this.#clock.steady() + this.#bucket!.wait());
  }

  #drop(call: HeldCall, outcome: Outcome): void {
    const place = this.#held.indexOf(call);
    if (place === -1) return;
    this.#held.splice(place, 1);
    this.#left();
    call.settle(outcome);
  }

  /** Tells that one call less is held. */
  #left(): void {
    this.#options.onHeld(-1);
    if (this.#held.length === 0) this.#timer.reset(Infinity);
  }

  /** Ends the waits whose deadline has passed, and begins what may begin. */
  #look(): void {
    const now = this.#clock.now();
    let next = Infinity;
    for (const call of [...this.#held]) {
      if (call.deadline > now) next = Math.min(next, call.deadline);
      else {
        this.#options.onRefused("deadline");
        this.#drop(call, failed(this.#failureFor("deadline"), true));
      }
    }
    if (next !== Infinity) this.#timer.by(this.#clock.steady() + next - now);
    this.#beginNext();
  }

  #refuse(reason: LimitRefusal): Promise<Outcome> {
    this.#options.onRefused(reason);
    return Promise.resolve(failed(this.#failureFor(reason), true));
  }

  #failureFor(reason: LimitRefusal): Failure {
    const { name, concurrency, rate } = this.#options;
    const cannot = `Cannot run "${name}"`;
    if (reason === "rate") {
      const retryAfter = Math.ceil(this.#bucket!.wait());
      return describeFailure(
        new RateLimitedError(
          `${cannot}: ${rate!.perSecond} calls a second may begin. Call again in ${retryAfter} ms`,
          { data: { retryAfter } },
        ),
      );
    }
    const limits = [
      concurrency === undefined ? "" : `${concurrency} at once`,
      rate === undefined ? "" : `${rate.perSecond} a second`,
    ].filter((limit) => limit !== "").join(" and ");
    return describeFailure(
      reason === "full"
        ? new BulkheadFullError(
          `${cannot}: ${MOST_WAITING} calls wait already, since ${limits} may run. Call later, or raise the limit`,
        )
        : new CallTimeoutError(
          `${cannot}: its deadline passed while it waited, since ${limits} may run. Allow more time, or raise the limit`,
        ),
    );
  }
}
