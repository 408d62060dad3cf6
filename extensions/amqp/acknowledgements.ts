/**
 * Sends the verdicts on the deliveries of one channel, in as few frames as possible.
 *
 * The broker numbers the deliveries of a channel 1, 2, 3, ... An acknowledgement names one of these tags, or
 * all tags up to one (`multiple`). Verdicts come in any order. The verdicts of one tick are collected and
 * sent together.
 *
 * The invariant: the broker settles a tag only after its verdict was given, and only once. A `multiple`
 * acknowledgement settles all tags below it too. So `multiple` serves one case only: the run of tags that
 * starts right above `#floor` and in which every verdict has been given. In that run
 *
 *  - a tag that was already sent by itself (`#sentAbove`) is no longer open, so the broker skips it;
 *  - a rejected or requeued tag is sent by itself *before* the `multiple`, so it is no longer open either;
 *  - the `multiple` names the last acknowledged tag, because the broker would close the channel for a tag
 *    that is not open.
 *
 * A verdict above the first gap is sent by itself, and `#sentAbove` remembers its tag until the floor rises
 * over it. So a slow delivery costs small frames, but never a wrong acknowledgement. `#sentAbove` never has
 * more tags than the prefetch allows.
 */

import { nextTick } from "node:process";
import { BrokerError } from "../../runtime/message/errors.ts";
import type { Channel, ReceivedMessage } from "./client_library.ts";
import type { Verdict } from "../../runtime/message/transport.ts";
import { PendingMap } from "../../runtime/waiting/pending_map.ts";

/** The verdicts of one channel. They become void when the channel closes. */
export class Acknowledgements {
  readonly #channel: Pick<Channel, "ack" | "reject">;
  /** Every tag up to this one is settled at the broker. */
  #floor = 0;
  readonly #sentAbove = new Set<number>();
  readonly #given = new PendingMap<number, Verdict>();
  readonly #closing = new AbortController();
  #closed = false;

  constructor(channel: Pick<Channel, "ack" | "reject">) {
    this.#channel = channel;
  }

  /** Aborts when the verdicts become void, unless they still count elsewhere. */
  get signal(): AbortSignal {
    return this.#closing.signal;
  }

  /** Takes the verdict on a delivery and sends it together with the other verdicts of this tick. */
  settle(tag: number, verdict: Verdict): void {
    if (this.#closed) return;
    if (this.#given.size === 0) nextTick(this.flush);
    this.#given.set(tag, verdict);
  }

  /**
   * Notes that the channel has closed: verdicts that were not sent yet, and all later verdicts, are void.
   *
   * @param isElsewhere Whether the verdicts of the deliveries count elsewhere, so that nobody may give up.
   */
  close(isElsewhere = false): void {
    this.#closed = true;
    this.#given.clear();
    if (isElsewhere) return;
    this.#closing.abort(new BrokerError("Cannot settle a message: the channel that delivered it has closed"));
  }

  /** Sends the verdicts that were given. On a channel that is about to close, they become void. */
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

/** Returns the only part of a message that the library reads in order to settle it. */
function named(deliveryTag: number): ReceivedMessage {
  return { fields: { deliveryTag } } as ReceivedMessage;
}
