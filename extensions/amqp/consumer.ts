/**
 * A consumer of one queue, on a channel of its own.
 *
 * The channel is its own because a channel is what the broker closes when it refuses something (the queue does
 * not exist, another consumer is exclusive, a verdict took too long): so one consumer's trouble is no other's,
 * and each channel's delivery tags form one run, which lets acknowledgements be merged.
 *
 * The invariant: a verdict goes to the channel that delivered. Each channel has its own
 * {@linkcode Acknowledgements}, caught when the delivery arrives and void once that channel has closed.
 */

import type {
  ConsumeOptions,
  Consumer,
  Delivery,
  Receiver,
  Verdict,
} from "../../runtime/message/transport.ts";
import { Acknowledgements } from "./acknowledgements.ts";
import type { Channel, ReceivedMessage } from "./client_library.ts";
import type { Link } from "./link.ts";
import { reasonOf } from "./refusal.ts";

/** Largest prefetch that the protocol can say. */
const PREFETCH_LIMIT = 65_535;

/** One `basic.consume`; a prefetch belongs to it, so another prefetch is another tag. */
interface ConsumerTag {
  name: string;
  /** Until the broker cancels it, as it does when the queue is deleted. */
  live: boolean;
}

interface Subscription {
  readonly link: Link;
  readonly channel: Channel;
  readonly acknowledgements: Acknowledgements;
  tag: ConsumerTag;
}

/** What a consumer tells the transport. */
export interface ConsumerOwner {
  /** The broker ended the subscription, for a reason; {@linkcode QueueConsumer.resume} is wanted. */
  onInterrupted(consumer: QueueConsumer, reason: string): void;
  /** It is not to be resumed any more. */
  onCancelled(consumer: QueueConsumer): void;
  /** It has no channel any more. */
  onClosed(consumer: QueueConsumer): void;
}

/** Implements {@linkcode Consumer}; lives as long as it is wanted, over many channels. */
export class QueueConsumer implements Consumer {
  readonly queue: string;
  readonly #receiver: Receiver;
  readonly #exclusive: boolean;
  readonly #onInterrupted: (() => void) | undefined;
  readonly #owner: ConsumerOwner;
  #prefetch: number;
  #subscription: Subscription | undefined;
  #wanted = true;
  /** Whether what still comes is left alone, to go back with the channel. */
  #deaf = false;
  /** Changes of the subscription happen one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();
  /** Deliveries whose receiver has not decided yet, those of lost channels too. */
  #open = 0;
  #onNoneOpen: (() => void) | undefined;
  #closed = false;
  #cancelled: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(queue: string, receiver: Receiver, options: ConsumeOptions, owner: ConsumerOwner) {
    this.queue = queue;
    this.#receiver = receiver;
    this.#prefetch = checkPrefetch(options.prefetch);
    this.#exclusive = options.exclusive ?? false;
    this.#onInterrupted = options.onInterrupted;
    this.#owner = owner;
  }

  /** Begins to consume, or goes on after an interruption: on the channel it has, or on a new one. */
  resume(link: Link): Promise<void> {
    return this.#change(async () => {
      if (!this.#wanted || this.#subscription?.tag.live) return;
      const opened = this.#subscription ?? await this.#openChannel(link);
      const tag = await this.#subscribe(opened.channel, opened.acknowledgements);
      this.#subscription = { ...opened, tag };
    });
  }

  async setPrefetch(prefetch: number): Promise<void> {
    this.#prefetch = checkPrefetch(prefetch);
    await this.#change(async () => {
      const subscription = this.#subscription;
      if (!subscription?.tag.live || !this.#wanted) return;
      const { channel, acknowledgements, tag } = subscription;
      try {
        // The new consumer comes first, for a queue may be deleted with its last one.
        if (this.#exclusive) await channel.cancel(tag.name);
        subscription.tag = await this.#subscribe(channel, acknowledgements);
        if (!this.#exclusive) await channel.cancel(tag.name);
      } catch (error) {
        // Without its channel the consumer resumes on another, and then with the new prefetch.
        if (this.#subscription === subscription) throw error;
      }
    });
  }

  cancel(): Promise<void> {
    this.abandon();
    return this.#cancelled ??= this.#cancel();
  }

  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  /** Does not resume any more; what the broker still sends is received. */
  abandon(): void {
    this.#wanted = false;
    this.#owner.onCancelled(this);
  }

  /** Sends the verdicts that were given and ends the channel; deliveries without one go back to the queue. */
  async close(): Promise<void> {
    this.#closed = true;
    this.#onNoneOpen?.();
    this.#owner.onClosed(this);
    const subscription = this.#subscription;
    if (subscription === undefined) return;
    this.#subscription = undefined;
    subscription.acknowledgements.flush();
    subscription.acknowledgements.close();
    await Promise.race([subscription.channel.close().catch(() => {}), subscription.link.blocked]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /** A broker that is blocked does not hear of it, but goes on to deliver. */
  async #cancel(): Promise<void> {
    const link = this.#subscription?.link;
    const cancelled = this.#change(async () => {
      const subscription = this.#subscription;
      if (subscription === undefined) return;
      try {
        await subscription.channel.cancel(subscription.tag.name);
      } catch (error) {
        if (this.#subscription === subscription) throw error;
      }
    });
    await Promise.race([cancelled, ...(link === undefined ? [] : [link.blocked])]);
    this.#deaf = true;
  }

  async #stop(): Promise<void> {
    await this.cancel();
    if (this.#open > 0 && !this.#closed) await new Promise<void>((resolve) => this.#onNoneOpen = resolve);
    await this.close();
  }

  async #openChannel(link: Link): Promise<Omit<Subscription, "tag">> {
    const channel = await link.openChannel();
    const acknowledgements = new Acknowledgements(channel);
    let refused: Error | undefined;
    channel.on("error", (error) => refused = error);
    channel.on("close", () => {
      acknowledgements.close();
      if (this.#subscription?.channel !== channel) return;
      const live = this.#subscription.tag.live;
      this.#subscription = undefined;
      if (live && this.#wanted) this.#onInterrupted?.();
      if (refused !== undefined && this.#wanted) this.#owner.onInterrupted(this, reasonOf(refused));
    });
    return { link, channel, acknowledgements };
  }

  /** Consumes under a new tag; the broker applies a prefetch to the consumers that follow it. */
  async #subscribe(channel: Channel, acknowledgements: Acknowledgements): Promise<ConsumerTag> {
    const tag: ConsumerTag = { name: "", live: true };
    const onMessage = (message: ReceivedMessage | null) => {
      if (message !== null) return this.#receive(message, acknowledgements);
      tag.live = false;
      if (this.#wanted) this.#onInterrupted?.();
      if (this.#wanted) this.#owner.onInterrupted(this, "the queue was deleted");
    };
    const [, { consumerTag }] = await Promise.all([
      channel.prefetch(this.#prefetch),
      channel.consume(this.queue, onMessage, { exclusive: this.#exclusive }),
    ]);
    tag.name = consumerTag;
    return tag;
  }

  /** Not async: that would hold the message, whose body may be large, until there is a verdict. */
  #receive(message: ReceivedMessage, acknowledgements: Acknowledgements): void {
    if (this.#deaf) return;
    this.#open++;
    const { deliveryTag, redelivered } = message.fields;
    const settle = (verdict: Verdict) => {
      acknowledgements.settle(deliveryTag, verdict);
      if (--this.#open === 0) this.#onNoneOpen?.();
    };
    const fail = () => settle(redelivered ? "reject" : "requeue");
    try {
      this.#receiver(toDelivery(message, acknowledgements.signal)).then(settle, fail);
    } catch {
      fail();
    }
  }

  #change(task: () => Promise<void>): Promise<void> {
    const run = this.#lastChange.then(task);
    this.#lastChange = run.catch(() => {});
    return run;
  }
}

/** @throws {RangeError} If it is not a positive integer. */
function checkPrefetch(prefetch: number): number {
  if (Number.isInteger(prefetch) && prefetch >= 1) return Math.min(prefetch, PREFETCH_LIMIT);
  throw new RangeError(`Cannot consume with prefetch ${prefetch}: it must be a positive integer`);
}

function toDelivery({ fields, properties, content }: ReceivedMessage, signal: AbortSignal): Delivery {
  const present: Record<string, unknown> = {};
  for (const name in properties) {
    const value = properties[name as keyof typeof properties];
    if (value !== undefined) present[name] = value;
  }
  return {
    exchange: fields.exchange,
    routingKey: fields.routingKey,
    // Not the Buffer: its slice() would not copy, against what its type promises.
    body: new Uint8Array(content.buffer, content.byteOffset, content.length),
    properties: present,
    redelivered: fields.redelivered,
    signal,
  };
}
