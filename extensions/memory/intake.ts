import type { Consumer, Delivery, Receiver, Verdict } from "../../runtime/message/transport.ts";
import type { Feed, Taker } from "./link.ts";

/** @throws {RangeError} If `prefetch` is not a positive integer. */
export function assertPrefetch(prefetch: number): void {
  if (Number.isInteger(prefetch) && prefetch > 0) return;
  throw new RangeError(`Cannot consume with prefetch ${prefetch}: it is not a positive integer`);
}

/** Runs a receiver over what its feed brings, and carries the verdicts back to the feed they belong to. */
export class Intake implements Consumer {
  readonly #receiver: Receiver;
  readonly #onStop: (intake: Intake) => void;
  #prefetch: number;
  #feed: Feed | undefined;
  #open = 0;
  #cancelled: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #closed = false;
  #idle: (() => void) | undefined;

  /** @param onStop Called once, when it has stopped */
  constructor(receiver: Receiver, prefetch: number, onStop: (intake: Intake) => void) {
    this.#receiver = receiver;
    this.#prefetch = prefetch;
    this.#onStop = onStop;
  }

  get prefetch(): number {
    return this.#prefetch;
  }

  /** Whether nothing more may come. */
  get cancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  /** Runs the receiver on what a feed brings. */
  readonly take: Taker = (feed, tag, delivery) => {
    this.#open++;
    this.#judge(delivery).then((verdict) => {
      feed.settle(tag, verdict);
      if (--this.#open === 0) this.#idle?.();
    });
  };

  /** Takes up the feed of a new connection, with the wishes that came while it was being opened. */
  async attach(feed: Feed, prefetch: number): Promise<void> {
    this.#feed = feed;
    if (this.cancelled) await feed.cancel();
    else if (this.#prefetch !== prefetch) await feed.setPrefetch(this.#prefetch);
  }

  async setPrefetch(prefetch: number): Promise<void> {
    assertPrefetch(prefetch);
    this.#prefetch = prefetch;
    await this.#feed?.setPrefetch(prefetch);
  }

  cancel(): Promise<void> {
    return this.#cancelled ??= this.#feed?.cancel() ?? Promise.resolve();
  }

  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** Voids all verdicts to come: the transport is closed. */
  close(): void {
    this.#cancelled ??= Promise.resolve();
    this.#closed = true;
    this.#idle?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  async #stop(): Promise<void> {
    await this.cancel();
    if (this.#open > 0 && !this.#closed) await new Promise<void>((resolve) => this.#idle = resolve);
    await this.#feed?.end();
    this.#onStop(this);
  }

  async #judge(delivery: Delivery): Promise<Verdict> {
    try {
      return await this.#receiver(delivery);
    } catch {
      return delivery.redelivered ? "reject" : "requeue";
    }
  }
}
