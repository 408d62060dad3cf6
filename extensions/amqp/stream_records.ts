/**
 * Remembers how far a consumer of a stream has come.
 *
 * A stream keeps its records, and its broker remembers nothing about a consumer of AMQP 0-9-1: each subscription
 * says where it begins. An acknowledgement only gives the consumer credit for another record.
 *
 * The invariant: each record from the start on is handed to the receiver, and is handed again only if it has no
 * verdict. In detail:
 *
 *  - All records below `#next` have been handed, and of them only those in `#open` (their receivers work on them)
 *    and those in `#again` (their channel has closed in the meantime) have no verdict.
 *  - A new channel subscribes at the lowest record of `#again`, or else at `#next`. It brings some records that
 *    have their verdict; they are passed over.
 *  - A verdict counts even if its channel has closed, because the position is kept here.
 *  - A consumer that has seen no record yet has no number to go on from. It goes on from the time at which it first
 *    subscribed, and a little earlier, as an age: so the broker's clock alone counts.
 *  - A stream that was deleted begins anew, and all of its records are new.
 *
 * The broker sends whole blocks of records, so a block may exceed the credit by far (thousands of records). What
 * exceeds the prefetch waits here, in order, and is forgotten when its channel closes.
 */
import { setImmediate } from "node:timers";
import type { Delivery, FieldValue, StreamOffset, Verdict } from "../../runtime/message/transport.ts";

/** Most records that a block may have beyond the credit. */
export const BLOCK_LIMIT = 65_535;

/** Records that a broker may send at least before a verdict. It sends them in blocks in any case. */
export const LEAST_CREDIT = 32;

/** Milliseconds before the first subscription from which a consumer goes on that has seen no record. */
const MARGIN = 2_000;

/** What becomes of an arrival. */
export interface RecordTaker {
  /** Hands the record to the receiver. */
  hand(delivery: Delivery): void;
  /** Gives credit for a record that has had its verdict. */
  pass(delivery: Delivery): void;
}

/** The position of one consumer. */
export class StreamRecords {
  #start: StreamOffset;
  #limit: number;
  /** When the first subscription began, in milliseconds of `performance.now()`. */
  #since: number | undefined;
  #next: number | undefined;
  /** The last record that has arrived on the present channel. */
  #arrived: number | undefined;
  readonly #open = new Set<number>();
  readonly #again = new Set<number>();
  /** The records that have arrived and are not handed out, from `#head` on. */
  #waiting: (readonly [offset: number, delivery: Delivery, taker: RecordTaker])[] = [];
  #head = 0;

  /** @param limit Largest number of records that the receiver has at a time. */
  constructor(start: StreamOffset, limit: number) {
    this.#start = typeof start === "object" && start.at > Date.now() ? "next" : start;
    this.#limit = limit;
  }

  /** Gives the argument `x-stream-offset` of the next subscription. */
  get argument(): FieldValue {
    if (this.#arrived !== undefined) return this.#arrived + 1;
    if (this.#again.size > 0) return lowest(this.#again);
    if (this.#next !== undefined) return this.#next;
    const start = this.#start;
    if (typeof start === "object") return age(Date.now() - start.at);
    if ((start === "next" || start === "last") && this.#since !== undefined) {
      return age(performance.now() - this.#since + MARGIN);
    }
    return start;
  }

  /** Notes that the broker has accepted a subscription. */
  began(): void {
    this.#since ??= performance.now();
  }

  /** Takes a record that has arrived. A delivery without a number is no record of a stream. */
  arrive(delivery: Delivery, taker: RecordTaker): void {
    const offset = delivery.properties.headers?.["x-stream-offset"];
    if (!isOffset(offset)) return taker.hand(delivery);
    if (this.#arrived === undefined) this.#forgetBefore(offset);
    this.#arrived = offset;
    this.#waiting.push([offset, delivery, taker]);
    this.#handOut();
  }

  /** Notes a verdict. */
  end({ offset }: Delivery, verdict: Verdict): void {
    if (offset === undefined) return;
    if (this.#open.delete(offset)) this.#handOut();
    else if (verdict !== "requeue") this.#again.delete(offset);
  }

  /** Hands a record again, in its order, as soon as the receiver may have one more. */
  requeue(delivery: Delivery, taker: RecordTaker): void {
    const { offset } = delivery;
    if (offset === undefined) return taker.pass(delivery);
    this.#open.delete(offset);
    this.#again.add(offset);
    let place = this.#head;
    while (place < this.#waiting.length && this.#waiting[place]![0] < offset) place++;
    this.#waiting.splice(place, 0, [offset, delivery, taker]);
    setImmediate(() => this.#handOut());
  }

  /** Whether a record has arrived on the present channel. */
  get hasArrived(): boolean {
    return this.#arrived !== undefined;
  }

  /** Changes the number of records that the receiver has at a time. With 0, no more are handed out. */
  setLimit(limit: number): void {
    this.#limit = limit;
    this.#handOut();
  }

  /** Notes that the channel has closed. */
  interrupt(): void {
    this.#waiting = [];
    this.#head = 0;
    this.#arrived = undefined;
    for (const offset of this.#open) this.#again.add(offset);
    this.#open.clear();
  }

  /** Notes that the stream was deleted. */
  forget(): void {
    this.interrupt();
    this.#again.clear();
    this.#next = undefined;
    this.#start = "first";
  }

  /** Gives up the records without a verdict that the broker does not keep any more. */
  #forgetBefore(first: number): void {
    for (const offset of this.#again) {
      if (offset < first) this.#again.delete(offset);
    }
  }

  /** Hands out what waits, in its order. A receiver may end at once, and so call this again. */
  #handOut(): void {
    while (this.#open.size < this.#limit) {
      const first = this.#waiting[this.#head++];
      if (first === undefined) {
        this.#waiting = [];
        this.#head = 0;
        return;
      }
      const [offset, delivery, taker] = first;
      const isNew = this.#next === undefined || offset >= this.#next;
      if (isNew) this.#next = offset + 1;
      else if (!this.#again.delete(offset)) {
        taker.pass(delivery);
        continue;
      }
      this.#open.add(offset);
      taker.hand({ ...delivery, offset, redelivered: !isNew });
    }
  }
}

function isOffset(value: unknown): value is number {
  return Number.isSafeInteger(value) && (value as number) >= 0;
}

function lowest(offsets: Iterable<number>): number {
  let lowest = Infinity;
  for (const offset of offsets) lowest = Math.min(lowest, offset);
  return lowest;
}

/** Writes an age as RabbitMQ reads it, which takes no age of less than a second. */
function age(milliseconds: number): string {
  return `${Math.max(1, Math.ceil(milliseconds / 1_000))}s`;
}
