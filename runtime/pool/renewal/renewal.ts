/**
 * This folder renews threads before they become too large or too old. This file decides which thread is renewed, and
 * when.
 *
 * Invariant: a thread goes on with its work until another one is ready in its place. So there are never fewer threads
 * for the calls, and no call waits for the start of a thread. One thread at a time is replaced in this way. A thread
 * that has been replaced takes no further call and ends after its last one. Some calls never end, such as streams, so
 * the next renewal does not wait for that. But no more threads are ending at a time than the service may have.
 */
import type { Log } from "../../log/log.ts";
import { LogPause } from "../../log/log_pause.ts";
import type { Crew } from "../crew.ts";
import type { PooledThread } from "../pooled_thread.ts";
import type { ThreadRenewal } from "../../telemetry/measuring/thread_renewal.ts";

/** Options of {@linkcode Renewal}. */
export interface RenewalOptions {
  readonly crew: Pick<Crew, "ready" | "mayReplace" | "replace">;
  readonly log: Log;
  /** Called with the reason when another thread has taken the place of a thread. @default {nobody wants to know} */
  readonly onRenewed?: ((reason: ThreadRenewal) => void) | undefined;
}

/**
 * Least pause before the next renewal, in starts of a thread: the last start took that much. So the starts take a fifth
 * of the time at most, even if each thread passes its limits at once.
 */
const PAUSE = 4;

/** Age in milliseconds below which a thread whose heap is above the soft limit tells of a limit that is too low. */
const YOUNG = 60_000;

/** Renews the threads of one pool, one after the other. */
export class Renewal {
  readonly #options: RenewalOptions;
  readonly #warnings = new LogPause();
  #pausedUntil = -Infinity;

  constructor(options: RenewalOptions) {
    this.#options = options;
  }

  /**
   * Begins to renew a thread, if one has been used enough.
   *
   * @returns The time of the next look; infinite if no time alone makes a difference. Then the next look is due when a
   * thread is ready, worn or gone.
   */
  look(now: number): number {
    const { crew } = this.#options;
    if (!crew.mayReplace) return Infinity;
    let next = Infinity;
    for (const thread of crew.ready) {
      const reason = thread.wear.reason(now);
      if (reason === undefined) next = Math.min(next, thread.wear.oldAt);
      else if (now < this.#pausedUntil) next = Math.min(next, this.#pausedUntil);
      else {
        crew.replace(thread, (took) => this.#renewed(thread, reason, took));
        return Infinity;
      }
    }
    return next;
  }

  #renewed(thread: PooledThread, reason: ThreadRenewal, took: number): void {
    const { log, onRenewed } = this.#options;
    const now = performance.now();
    this.#pausedUntil = now + PAUSE * took;
    const { wear, name, assigned } = thread;
    const why = wear.describe(reason, now);
    log.debug(`Renewed thread "${name}": ${why}, and still runs ${assigned}`, { reason });
    if (reason === "memory" && wear.age(now) < YOUNG && this.#warnings.tryBegin(now)) {
      log.warning(
        `Renewed thread "${name}" ${Math.round(wear.age(now) / 1_000)} s after its start: ${why}. ` +
          "If it needs that much, raise soft_heap_limit",
      );
    }
    onRenewed?.(reason);
  }
}
