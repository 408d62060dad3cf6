/**
 * Remembers the deliveries that the broker has taken back although their receivers still work on them.
 *
 * RabbitMQ closes a channel when a delivery waits for its verdict longer than `consumer_timeout` (30 minutes
 * unless somebody has set it), and offers all deliveries of the channel again. A handler that takes longer would
 * be run again and again, several times at once, and no verdict would ever count.
 *
 * The invariant: each verdict that is sent answers a run that has ended, and each run answers one delivery. In
 * detail:
 *
 *  - When the broker closes a channel for this reason, each open delivery of the channel becomes *overdue*. Its
 *    run goes on, and its signal does not abort, because its verdict will count.
 *  - A delivery that the broker marks as a repetition, and that equals an overdue delivery of the same queue, is
 *    not given to a receiver. It is *attached* to the overdue one, and gets the verdict of that run as soon as
 *    there is one. If its channel closes before, for whatever reason, it is detached, and the next repetition
 *    takes its place.
 *  - A run that ends while nothing is attached leaves its verdict behind for the repetition, which may come
 *    later: another process may have it. The verdict `requeue` leaves nothing behind, because the broker has
 *    already done what it asks for.
 *
 * Two deliveries are equal if all that their sender wrote is equal. Messages of Enoki and of Nameko have a unique
 * id. Of a stranger's messages that are equal in all properties and in the body, one may get the verdict of the
 * run of another; yet no message gets a verdict without a run.
 *
 * So a process runs such a message once, and a message that is offered to several processes in turn is run at most
 * once by each, as long as its verdict is remembered (`outcomeMemory`). What is remembered is bounded: the runs
 * under way by the prefetch, the verdicts by {@linkcode MOST_VERDICTS}.
 */

import { createHash } from "node:crypto";
import type { Delivery, Verdict } from "../../runtime/message/transport.ts";
import { reasonOf } from "./refusal.ts";

/** Gives a verdict on a delivery to the broker. */
export type Settle = (verdict: Verdict) => void;

/** A run whose delivery the broker has taken back. */
export interface OverdueRun {
  /** Takes the verdict of the run. */
  end(verdict: Verdict): void;
}

/** Largest number of verdicts that are remembered. */
const MOST_VERDICTS = 10_000;

interface Run extends OverdueRun {
  /** Settles the repetition that is attached. */
  settle: Settle | undefined;
  verdict: Verdict | undefined;
  endedAt: number;
}

/** The overdue deliveries of one transport. */
export class OverdueDeliveries {
  readonly #memory: number;
  /** Runs that have not given their verdict to the broker, by their identity. */
  readonly #runs = new Map<string, Set<Run>>();
  /** Runs that have ended and wait for a repetition, the oldest first. */
  readonly #ended = new Map<Run, string>();

  /** @param memory Milliseconds for which a verdict is remembered. */
  constructor(memory: number) {
    this.#memory = memory;
  }

  /** Notes that the broker has taken back a delivery whose run goes on. */
  add(queue: string, delivery: Delivery): OverdueRun {
    const identity = identityOf(queue, delivery);
    const run: Run = {
      settle: undefined,
      verdict: undefined,
      endedAt: 0,
      end: (verdict) => this.#end(identity, run, verdict),
    };
    const runs = this.#runs.get(identity);
    if (runs === undefined) this.#runs.set(identity, new Set([run]));
    else runs.add(run);
    return run;
  }

  /**
   * Gives a repeated delivery the verdict of the run that it belongs to, now or later.
   *
   * @returns False if it belongs to no run, so that it must be run. Otherwise a function that detaches it, to be
   * called when its channel closes.
   */
  attach(queue: string, delivery: Delivery, settle: Settle): false | (() => void) {
    if (!delivery.redelivered || this.#runs.size === 0) return false;
    this.#forgetOld();
    const identity = identityOf(queue, delivery);
    const run = [...this.#runs.get(identity) ?? []].find((run) => run.settle === undefined);
    if (run === undefined) return false;
    if (run.verdict !== undefined) {
      this.#forget(identity, run);
      settle(run.verdict);
      return () => {};
    }
    run.settle = settle;
    return () => {
      if (run.settle === settle) run.settle = undefined;
    };
  }

  #end(identity: string, run: Run, verdict: Verdict): void {
    if (run.settle !== undefined || verdict === "requeue") {
      this.#forget(identity, run);
      run.settle?.(verdict);
      return;
    }
    run.verdict = verdict;
    run.endedAt = performance.now();
    this.#ended.set(run, identity);
    this.#forgetOld();
  }

  #forgetOld(): void {
    const oldest = performance.now() - this.#memory;
    for (const [run, identity] of this.#ended) {
      if (this.#ended.size <= MOST_VERDICTS && run.endedAt >= oldest) return;
      this.#forget(identity, run);
    }
  }

  #forget(identity: string, run: Run): void {
    this.#ended.delete(run);
    const runs = this.#runs.get(identity);
    runs?.delete(run);
    if (runs?.size === 0) this.#runs.delete(identity);
  }
}

/** Header that quorum queues add, and count up with each delivery. */
const COUNT_HEADER = "x-delivery-count";

function identityOf(queue: string, { exchange, routingKey, properties, body }: Delivery): string {
  const said = JSON.stringify(
    [queue, exchange, routingKey, properties],
    (name, value) => name === COUNT_HEADER || value === undefined ? undefined : value,
  );
  return createHash("sha256").update(said).update("\0").update(body).digest("base64");
}

/** Says why the broker has closed a channel. */
export function endingOf(refused: Error | undefined): string {
  if (refused === undefined) return "the channel was closed";
  const reason = reasonOf(refused);
  if (!isOverdue(reason)) return reason;
  return "a handler takes longer than the broker's consumer_timeout, so the broker takes its message back " +
    `(${reason}). The handler goes on, and its outcome counts. ` +
    "Raise consumer_timeout at the broker, or make the handler shorter";
}

/** Whether the broker has closed a channel because a delivery waited too long for its verdict. */
export function isOverdue(reason: string): boolean {
  return /acknowledgement.{0,100} timed out/.test(reason);
}
