/**
 * Sends the verdicts on the deliveries of one channel, in as few frames as possible.
 *
 * The broker numbers a channel's deliveries 1, 2, 3, ... An acknowledgement may name one of them, or all up to
 * one (`multiple`). Verdicts come in any order; those of one tick are gathered and sent together.
 *
 * The invariant: a tag is settled at the broker only after its verdict was given, and once. A `multiple`
 * acknowledgement settles everything below it too, so it is used for one case alone: the run of tags that
 * starts right above `#floor` and in which every verdict has been given. In that run
 *
 *  - what was already sent by itself (`#sentAbove`) is no longer open, so the broker skips it;
 *  - what is rejected or requeued is sent by itself *before* the `multiple`, and is then no longer open either;
 *  - the last acknowledged tag is what the `multiple` names, because a tag that is not open would close the
 *    channel.
 *
 * A verdict above the first gap is sent by itself and remembered until the floor rises over it. A slow delivery
 * thus costs small frames, never a wrong acknowledgement; `#sentAbove` cannot outgrow the prefetch.
 */

import { nextTick } from "node:process";
import { BrokerError } from "../../runtime/message/errors.ts";
import type { Channel, ReceivedMessage } from "./client_library.ts";
import type { Verdict } from "../../runtime/message/transport.ts";

/** The verdicts of one channel; void with it. */
export class Acknowledgements {
  readonly #channel: Pick<Channel, "ack" | "reject">;
  /** Every tag up to this one is settled at the broker. */
  #floor = 0;
  readonly #sentAbove = new Set<number>();
  readonly #given = new Map<number, Verdict>();
  readonly #closing = new AbortController();

  constructor(channel: Pick<Channel, "ack" | "reject">) {
    this.#channel = channel;
  }

  /** Aborts when verdicts are void. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Gives the verdict on a delivery, to be sent with the others of this tick. */
  settle(tag: number, verdict: Verdict): void {
    if (this.#closing.signal.aborted) return;
    if (this.#given.size === 0) nextTick(this.flush);
    this.#given.set(tag, verdict);
  }

  /** The channel has gone: whatever is given from now on, or was not sent yet, is void. */
  close(): void {
    this.#given.clear();
    this.#closing.abort(new BrokerError("Cannot settle a message: the channel that it came by has closed"));
  }

  /** Sends the verdicts that were given; on a channel that is about to close they are void. */
  readonly flush = (): void => {
    try {
      this.#send();
    } catch {
      this.close();
    }
  };

  #send(): void {
    if (this.#given.size === 0) return;
    for (const [tag, verdict] of this.#given) {
      if (verdict !== "ack") this.#channel.reject(named(tag), verdict === "requeue");
    }
    this.#acknowledgeRun();
    for (const [tag, verdict] of this.#given) {
      if (verdict === "ack") this.#channel.ack(named(tag));
      this.#sentAbove.add(tag);
    }
    this.#given.clear();
  }

  /** Acknowledges the run above the floor and raises the floor to its end. */
  #acknowledgeRun(): void {
    let last = 0;
    let count = 0;
    for (;; this.#floor++) {
      const tag = this.#floor + 1;
      if (this.#sentAbove.delete(tag)) continue;
      const verdict = this.#given.get(tag);
      if (verdict === undefined) break;
      this.#given.delete(tag);
      if (verdict !== "ack") continue;
      last = tag;
      count++;
    }
    if (count > 0) this.#channel.ack(named(last), count > 1);
  }
}

/** All that the library reads of a message in order to settle it. */
function named(deliveryTag: number): ReceivedMessage {
  return { fields: { deliveryTag } } as ReceivedMessage;
}
