/**
 * This file ends what is overdue: calls whose time is up and, if necessary, the thread that runs them, and
 * threads that give no sign of life.
 *
 * The pool answers the caller at once and tells the call to stop. If the call does not end within the kill
 * grace, the pool must end its thread, because nothing else stops a handler. But a thread that also runs
 * other calls, and still answers, may continue with them. The pool gives such a thread no more calls. It ends
 * the thread when nobody waits for any of its calls, or when the thread answers no more.
 */
import { type Clock, SYSTEM_CLOCK } from "../waiting/clock.ts";
import { WakeTimer } from "../waiting/wake_timer.ts";
import type { Invocation } from "../channel/port.ts";
import type { Outcome } from "../message/outcome.ts";
import { CallTimeoutError } from "../message/errors.ts";
import type { Job } from "./job.ts";
import { describeFailure, type Failure } from "../message/failure.ts";
import type { Crew } from "./crew.ts";
import { GROW_PATIENCE, MAILBOX_PATIENCE, QUEUE_PATIENCE } from "./placement.ts";
import type { PoolLimits, PoolOptions } from "./pool_options.ts";
import type { PooledThread } from "./pooled_thread.ts";

/**
 * When the time of the calls of one pool is up.
 *
 * It follows the clock of the pool. Threads may have another one: if a test moves that of the pool, real threads stay
 * in real time, and get the deadlines of their calls in it.
 */
export class CallTimes {
  readonly #clock: Clock;
  /** Whether the threads go by the same clock. */
  readonly #isShared: boolean;
  readonly #timer: WakeTimer;
  readonly #onDue: (now: number) => void;

  /** @param onDue Called with the steady time when the time of some call may be up. */
  constructor({ clock = SYSTEM_CLOCK, spawner }: CallTimesOptions, onDue: (now: number) => void) {
    this.#clock = clock;
    this.#isShared = clock === (spawner.clock ?? SYSTEM_CLOCK);
    this.#onDue = onDue;
    this.#timer = new WakeTimer(() => this.look(), { clock });
  }

  /** Lets a clock that somebody moves wait for a call. */
  during(outcome: Promise<Outcome>): Promise<Outcome> {
    return this.#clock.during === undefined ? outcome : this.#clock.during(outcome);
  }

  /** Gives a call as a thread gets it: with the deadline in its own time. The pool keeps that of its own. */
  inThread(invocation: Invocation): Invocation {
    const { deadline, answerBy = deadline } = invocation;
    if (this.#isShared || deadline === undefined) return invocation;
    return {
      ...invocation,
      answerBy: answerBy!,
      deadline: SYSTEM_CLOCK.now() + deadline - this.#clock.now(),
    };
  }

  /** Begins the timeout of a call, if it has one. */
  begin(job: Job): void {
    const { timeout } = job.invocation;
    if (timeout === undefined) return;
    job.timeoutAt = this.#clock.steady() + timeout;
    this.#timer.by(job.timeoutAt);
  }

  /** Ends the calls whose time is up, if there are any. */
  look(): void {
    this.#onDue(this.#clock.steady());
  }

  /** Watches the timeouts of the calls that these threads have. */
  watch(threads: Iterable<PooledThread>): void {
    for (const { nextTimeout } of threads) this.#timer.by(nextTimeout);
  }

  close(): void {
    this.#timer.close();
  }
}

type CallTimesOptions = Pick<PoolOptions, "clock" | "spawner">;

/**
 * Ends the calls of a thread whose time is up.
 *
 * @param now The present steady time of the calls' clock.
 * @param killGrace Milliseconds that a call may take to end after its time was up.
 * @param fail Answers a call whose time is up, such as with {@linkcode outOfTime}.
 * @returns Calls that have not started. The caller must put them back into the queue.
 */
export function expireCalls(
  thread: PooledThread,
  now: number,
  killGrace: number,
  fail: (job: Job) => void,
): readonly Job[] {
  if (thread.assigned === 0) return [];
  const { started, unstarted } = thread.expire(now);
  if (started.length === 0) return unstarted;
  let endless = false;
  for (const job of started) {
    job.timeoutAt = now + killGrace;
    if (job.timedOut) endless = true;
    else {
      job.timedOut = true;
      fail(job);
    }
  }
  if (!endless) {
    thread.ping();
    return unstarted;
  }
  const takenBack = thread.takeBackUnstarted();
  if (isNeeded(thread) && !thread.isSilent) {
    thread.condemn();
    thread.ping();
  } else thread.kill(`a call did not end ${killGrace} ms after its time was up`);
  return [...unstarted, ...takenBack];
}

/** Whether somebody waits for a call in a thread. */
function isNeeded({ jobs }: PooledThread): boolean {
  return jobs.some((job) => job !== undefined && !job.timedOut);
}

/** Makes the failure of a call whose time is up. */
export function outOfTime(
  { invocation: { timeout, entrypoint } }: Job,
  { service, entrypoints }: Pick<PoolOptions, "service" | "entrypoints">,
): Failure {
  const method = entrypoints?.[entrypoint]?.method;
  const name = method === undefined ? "the call" : `${service}.${method}`;
  return describeFailure(
    new CallTimeoutError(`Cannot finish ${name}: it took longer than its timeout of ${timeout} ms`),
  );
}

/** Longest time between two looks at threads that run something, in milliseconds. */
const LOOK_INTERVAL = 1_000;

/** Milliseconds of silence after which the pool asks a busy thread for a sign of life. */
const SILENCE = 5_000;

/** Time between two looks: short enough to ask for a sign of life, and to get it, before silence counts. */
export function lookInterval(stallTimeout: number): number {
  return Math.min(LOOK_INTERVAL, stallTimeout / 4);
}

/** Asks a silent thread for a sign of life, and ends the thread if it has given none for `stallTimeout`. */
export function checkPulse(thread: PooledThread, now: number, stallTimeout: number): void {
  const silence = now - thread.heardAt;
  if (silence > stallTimeout) thread.kill(`it gave no sign of life for ${Math.round(silence)} ms`);
  else if (silence > Math.min(SILENCE, stallTimeout / 2)) thread.ping();
}

/**
 * Returns the time at which the pool has to look again; infinite once nothing runs and no thread is to retire.
 *
 * @param oldest The call that has waited for a thread for the longest time.
 */
export function nextLook(
  now: number,
  { ready, working, retryAt }: Pick<Crew, "ready" | "working" | "retryAt">,
  oldest: Job | undefined,
  { concurrency, minWorkers, idleTimeout, stallTimeout }: PoolLimits,
): number {
  let next = retryAt;
  for (const thread of working) {
    if (thread.assigned > 0) {
      const look = thread.assigned > concurrency ? MAILBOX_PATIENCE : lookInterval(stallTimeout);
      next = Math.min(next, now + look);
    } else if (ready.size > minWorkers) {
      next = Math.min(next, thread.idleSince + idleTimeout);
    }
  }
  if (oldest === undefined) return next;
  return Math.min(next, Math.max(now + GROW_PATIENCE, oldest.queuedAt + QUEUE_PATIENCE));
}
