import { type Claims, SLOTS } from "../../channel/claims.ts";
import { type Job, SHORT_CALL } from "../job.ts";

/** A call with its slot in a thread. */
export type SlottedCall = readonly [slot: number, job: Job];

/**
 * The calls that one thread has, each in a slot, running and waiting.
 *
 * Invariant: a slot is free, or has a call, or had one that was taken back and that the thread has not skipped yet.
 */
export class Mailbox {
  readonly #claims: Claims;
  readonly #jobs: (Job | undefined)[] = new Array(SLOTS).fill(undefined);
  readonly #freeSlots: number[] = Array.from({ length: SLOTS }, (_, slot) => slot);
  /** Marks the slots of calls that were taken back, until the thread has skipped them. */
  readonly #takenBack = new Uint8Array(SLOTS);
  #size = 0;
  #long = 0;
  #backlog = 0;

  constructor(claims: Claims) {
    this.#claims = claims;
  }

  /** The calls by their slots. */
  get jobs(): readonly (Job | undefined)[] {
    return this.#jobs;
  }

  /** The calls with their slots. */
  get calls(): readonly SlottedCall[] {
    return this.#jobs.flatMap((job, slot) => job === undefined ? [] : [[slot, job] as const]);
  }

  /** The earliest time at which the time of a call is up; infinite if there is none. */
  get nextTimeout(): number {
    let next = Infinity;
    if (this.#size === 0) return next;
    for (const job of this.#jobs) if (job !== undefined && job.timeoutAt < next) next = job.timeoutAt;
    return next;
  }

  /** Number of calls. */
  get size(): number {
    return this.#size;
  }

  /** Milliseconds of work that the calls are expected to be; infinite if one of them is long. */
  get backlog(): number {
    return this.#long > 0 ? Infinity : this.#backlog;
  }

  /** Whether there is room for another call. */
  get hasSlot(): boolean {
    return this.#freeSlots.length > 0;
  }

  /** Whether a value from the thread is the slot of a call that the thread has. */
  holds(slot: unknown): slot is number {
    return typeof slot === "number" && this.#jobs[slot] !== undefined;
  }

  /** Adds a call that the thread may start. Returns its slot. */
  add(job: Job): number {
    const slot = this.#freeSlots.pop()!;
    this.#jobs[slot] = job;
    this.#size++;
    if (job.expected < SHORT_CALL) this.#backlog += job.expected;
    else this.#long++;
    this.#claims.offer(slot);
    return slot;
  }

  /** Removes a call that has its outcome. Its slot is free. */
  remove(slot: number): void {
    this.#forget(slot);
    this.#freeSlots.push(slot);
  }

  /** Takes a call back. Returns false if the thread has started the call, or may have. */
  takeBack(slot: number): boolean {
    if (!this.#claims.takeBack(slot)) return false;
    this.#takenBack[slot] = 1;
    this.#forget(slot);
    return true;
  }

  /** Frees the slot of a call that was taken back. Returns false if there was no such call. */
  skipped(slot: unknown): boolean {
    if (typeof slot !== "number" || this.#takenBack[slot] !== 1) return false;
    this.#takenBack[slot] = 0;
    this.#freeSlots.push(slot);
    return true;
  }

  #forget(slot: number): void {
    const job = this.#jobs[slot]!;
    this.#jobs[slot] = undefined;
    if (job.expected < SHORT_CALL) this.#backlog -= job.expected;
    else this.#long--;
    if (--this.#size === 0) this.#backlog = 0;
  }
}
