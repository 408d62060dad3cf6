/**
 * How long the methods of a service take at least: its replies say so, and its callers remember it.
 *
 * A service cannot see how long a request has waited in the broker, because the clocks of two machines differ. So
 * the caller lets its request expire earlier than it gives up itself, by the time that the method takes. What waits
 * longer could not be answered in time, and the broker drops it before it costs the service anything.
 */
import type { FieldTable, FieldValue } from "../../runtime/message/transport.ts";

/** Header of a reply. Its value is in milliseconds. */
const HEADER = "enoki_least_time";

/** The methods that take less, in milliseconds, go without a header, and their requests expire with their callers. */
const SHORTEST = 5;

/** What a method needs beside its least time: many runs take longer, and the messages have a way to go. */
const SLACK_FACTOR = 1.25;
const SLACK = 25;

/** The part of the caller's time that a request may wait in any case. Then the service itself decides. */
const LEAST_SHARE = 0.1;

/** Number of methods that a caller remembers. */
const MOST_METHODS = 1_000;

/** Number of given-up requests that a caller remembers. */
const MOST_LATE = 1_000;

const NO_HEADERS: FieldTable = {};

/** Makes the headers of a reply of a method that takes so many milliseconds at least. */
export function replyHeaders(least: number): FieldTable {
  return least < SHORTEST ? NO_HEADERS : { [HEADER]: Math.floor(least) };
}

/** The least times of the methods that one caller calls, by their routing keys. */
export class LeastTimes {
  readonly #times = new Map<string, number>();
  /** Routing keys of requests whose replies are late, by correlation id. */
  readonly #late = new Map<string, string>();

  /** Learns from the headers of a reply. */
  learn(service: string, method: string, headers: FieldTable | undefined): void {
    const least = headers?.[HEADER];
    if (typeof least !== "number" && this.#times.size === 0) return;
    this.#set(`${service}.${method}`, least);
  }

  /** Notes a request that was given up. In an overload all replies may be late, and one can learn from them, too. */
  awaitLate(correlationId: string, routingKey: string): void {
    if (this.#late.size >= MOST_LATE) this.#late.delete(this.#late.keys().next().value!);
    this.#late.set(correlationId, routingKey);
  }

  /** Learns from the headers of a reply to a request that was given up. */
  learnLate(correlationId: string, headers: FieldTable | undefined): void {
    const routingKey = this.#late.get(correlationId);
    if (routingKey === undefined) return;
    this.#late.delete(correlationId);
    this.#set(routingKey, headers?.[HEADER]);
  }

  /** Returns the milliseconds after which a request is no longer worth running, if its caller waits `left` more. */
  expiration(routingKey: string, left: number): number {
    const least = this.#times.size === 0 ? undefined : this.#times.get(routingKey);
    return least === undefined ? left : Math.max(left - (least * SLACK_FACTOR + SLACK), left * LEAST_SHARE);
  }

  #set(routingKey: string, least: FieldValue | undefined): void {
    if (typeof least === "number" && least > 0) {
      if (this.#times.size >= MOST_METHODS) this.#times.clear();
      this.#times.set(routingKey, least);
    } else this.#times.delete(routingKey);
  }
}
