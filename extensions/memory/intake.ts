import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Receiver,
  Verdict,
} from "../../runtime/message/transport.ts";
import type { Feed, Link, Taker } from "./link.ts";

/** An intake is the consumer that a transport's user holds. It lives over many links, with one feed on each. */
export class Intake implements Consumer {
  readonly queue: string;
  readonly #receiver: Receiver;
  readonly #options: ConsumeOptions;
  readonly #siblings: Set<Intake>;
  #prefetch: number;
  #feed: Feed | undefined;
  #open = 0;
  #cancelled: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;
  #closed = false;
  /** Whether a broker has accepted the intake. The next broker is another one, whose streams have begun anew. */
  #begun = false;
  #idle: (() => void) | undefined;

  /**
   * @param siblings The transport keeps its intakes in this set. The intake joins the set once a broker has
   * accepted it, and leaves the set once it has stopped.
   * @throws {RangeError} If the prefetch is not a positive integer.
   */
  constructor(queue: string, receiver: Receiver, options: ConsumeOptions, siblings: Set<Intake>) {
    assertPrefetch(options.prefetch);
    this.queue = queue;
    this.#receiver = receiver;
    this.#options = options;
    this.#prefetch = options.prefetch;
    this.#siblings = siblings;
  }

  /** Says whether the user has cancelled the intake, or the transport is closed. */
  get cancelled(): boolean {
    return this.#cancelled !== undefined;
  }

  /**
   * Begins to consume over a link, or goes on over the next one.
   *
   * Once the feed is there, the intake applies the prefetch or the cancel that the user has asked for meanwhile.
   */
  async resume(link: Link): Promise<void> {
    const prefetch = this.#prefetch;
    const { offset } = this.#options;
    const feed = await link.consume(this.queue, this.#take, {
      ...this.#options,
      prefetch,
      ...(offset !== undefined && this.#begun && { offset: "first" as const }),
    });
    this.#begun = true;
    this.#siblings.add(this);
    this.#feed = feed;
    if (this.cancelled) await feed.cancel();
    else if (this.#prefetch !== prefetch) await feed.setPrefetch(this.#prefetch);
  }

  /** Tells the user that the link is lost, unless the user has cancelled the intake. */
  interrupt(): void {
    if (!this.cancelled) this.#options.onInterrupted?.();
  }

  async setPrefetch(prefetch: number): Promise<void> {
    assertPrefetch(prefetch);
    this.#prefetch = prefetch;
    await this.#feed?.setPrefetch(prefetch);
  }

  cancel(): Promise<void> {
    return this.#cancelled ??= Promise.resolve(this.#feed?.cancel());
  }

  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** Ends the intake with its transport. The verdicts that still come have no effect. */
  close(): void {
    this.#cancelled ??= Promise.resolve();
    this.#closed = true;
    this.#idle?.();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  readonly #take: Taker = (feed, tag, delivery) => {
    this.#open++;
    this.#judge(delivery).then((verdict) => {
      feed.settle(tag, verdict);
      if (--this.#open === 0) this.#idle?.();
    });
  };

  async #stop(): Promise<void> {
    await this.cancel();
    if (this.#open > 0 && !this.#closed) await new Promise<void>((resolve) => this.#idle = resolve);
    await this.#feed?.end();
    this.#siblings.delete(this);
  }

  async #judge(delivery: Delivery): Promise<Verdict> {
    try {
      return await this.#receiver(delivery);
    } catch {
      return delivery.redelivered ? "reject" : "requeue";
    }
  }
}

function assertPrefetch(prefetch: number): void {
  if (Number.isInteger(prefetch) && prefetch > 0) return;
  throw new RangeError(`Cannot consume with prefetch ${prefetch}: it is not a positive integer`);
}
