/**
 * A consumer of one queue. It shares its channel with no other consumer.
 *
 * The reason: when the broker refuses something (the queue does not exist, another consumer is exclusive, a
 * verdict took too long), it closes the whole channel. With separate channels, the trouble of one consumer
 * does not affect another. Besides, the delivery tags of each channel form one run, so that acknowledgements
 * can be merged.
 *
 * The invariant: a verdict goes to the channel that delivered the message. Each channel has its own
 * {@linkcode Acknowledgements}. A delivery keeps those of the channel that it arrived on, and they are void
 * once that channel has closed. There is one exception, in `overdue.ts`: if the broker has closed the channel
 * because a handler took too long, the verdict goes to the repetition of the delivery.
 */

import type { Consumer, Delivery, Receiver, Verdict } from "../../runtime/message/transport.ts";
import type { BrokerError } from "../../runtime/message/errors.ts";
import { Arrivals, type ConsumerTag, type OpenDelivery, toDelivery } from "./arrivals.ts";
import { type Channel, isOpen, type ReceivedMessage } from "./client_library.ts";
import { checkPrefetch, type QueueConsumerOptions } from "./consumer_options.ts";
import { EarlyAcks } from "./early_acks.ts";
import type { Link } from "./link.ts";
import { endingOf, isOverdue, type OverdueDeliveries } from "./overdue.ts";
import { reasonOf } from "./refusal.ts";
import { BLOCK_LIMIT, LEAST_CREDIT, type RecordTaker, StreamRecords } from "./stream_records.ts";
import { Strikes } from "./strikes.ts";

/** A broker that sends so many times the prefetch does not heed it, and would fill the memory. */
const EXCESS = 2;

interface Subscription {
  readonly arrivals: Arrivals;
  readonly link: Link;
  readonly channel: Channel;
  tag: ConsumerTag;
}

/** Events that a consumer reports to the transport. */
export interface ConsumerOwner {
  /**
   * The subscription has ended for `reason`, although `link` is alive. The owner must call
   * {@linkcode QueueConsumer.resume}.
   */
  onInterrupted(consumer: QueueConsumer, link: Link, reason: string): void;
  /** The owner must not resume the consumer any more. */
  onCancelled(consumer: QueueConsumer): void;
  /** The consumer has no channel any more. */
  onClosed(consumer: QueueConsumer): void;
}

/**
 * Implements {@linkcode Consumer}. It lives until somebody cancels it, and uses many channels one after
 * another.
 */
export class QueueConsumer implements Consumer {
  readonly queue: string;
  readonly #receiver: Receiver;
  readonly #exclusive: boolean;
  readonly #arguments: Readonly<Record<string, number>>;
  readonly #onInterrupted: (() => void) | undefined;
  readonly #overdue: OverdueDeliveries;
  readonly #owner: ConsumerOwner;
  /** Present if the queue is a stream. */
  readonly #records: StreamRecords | undefined;
  /** Present if the broker is to forget messages before the receiver gets them. */
  readonly #early: EarlyAcks | undefined;
  #prefetch: number;
  #subscription: Subscription | undefined;
  #wanted = true;
  /** Whether the consumer ignores further deliveries. They go back to the queue when the channel closes. */
  #deaf = false;
  /** The last change of the subscription. Changes happen one after the other. */
  #lastChange: Promise<unknown> = Promise.resolve();
  #changes = 0;
  /** Number of deliveries whose receiver has not decided yet, including deliveries of lost channels. */
  #open = 0;
  #onNoneOpen: (() => void) | undefined;
  #closed = false;
  readonly #strikes = new Strikes();
  #cancelled: Promise<void> | undefined;
  #stopped: Promise<void> | undefined;

  constructor(
    queue: string,
    receiver: Receiver,
    options: QueueConsumerOptions,
    overdue: OverdueDeliveries,
    owner: ConsumerOwner,
  ) {
    this.queue = queue;
    this.#receiver = receiver;
    this.#prefetch = checkPrefetch(options.prefetch);
    this.#exclusive = options.exclusive ?? false;
    this.#arguments = options.patience === undefined ? {} : { "x-consumer-timeout": options.patience };
    this.#records = options.offset === undefined
      ? undefined
      : new StreamRecords(options.offset, this.#prefetch);
    this.#early = options.noAck && this.#records === undefined
      ? new EarlyAcks(receiver, this.#prefetch, () => this.#end())
      : undefined;
    this.#onInterrupted = options.onInterrupted;
    this.#overdue = overdue;
    this.#owner = owner;
  }

  /** Whether the consumer is to consume: nobody has cancelled it. */
  get wanted(): boolean {
    return this.#wanted;
  }

  /** Why the consumer is not resumed any more, although it is wanted. */
  get givenUp(): BrokerError | undefined {
    return this.#strikes.verdict;
  }

  /** Whether the subscription is being changed. */
  get changing(): boolean {
    return this.#changes > 0;
  }

  /** Whether the broker sends the messages of the queue to this consumer. */
  get consuming(): boolean {
    return this.#subscription !== undefined && this.#subscription.tag.live;
  }

  /**
   * Begins to consume, or continues after an interruption. It uses the present channel, or else a new channel
   * of `link`.
   */
  resume(link: Link): Promise<void> {
    return this.#change(async () => {
      if (!this.#wanted || this.consuming) return;
      if (this.givenUp !== undefined) throw this.givenUp;
      try {
        const opened = this.#subscription ?? await this.#openChannel(link);
        const tag = await this.#subscribe(link, opened.channel, opened.arrivals);
        if (!isOpen(opened.channel)) {
          throw new Error("the broker closed the channel as soon as it had agreed");
        }
        this.#subscription = { ...opened, tag };
        this.#strikes.clear();
      } catch (error) {
        throw link.alive
          ? error
          : this.#strikes.count(link, `consume queue "${this.queue}"`, await link.lost);
      }
    });
  }

  async setPrefetch(prefetch: number): Promise<void> {
    this.#prefetch = checkPrefetch(prefetch);
    if (this.#wanted) this.#records?.setLimit(prefetch);
    this.#early?.setLimit(this.#prefetch);
    await this.#change(async () => {
      const subscription = this.#subscription;
      if (!subscription?.tag.live || !this.#wanted || this.#hasCredit(subscription.tag)) return;
      const { link, channel, tag } = subscription;
      try {
        // Unless the consumer is exclusive, the new tag starts before the old one ends, because the broker
        // may delete a queue with its last consumer.
        if (this.#exclusive) await channel.cancel(tag.name);
        subscription.tag = await this.#subscribe(link, channel, subscription.arrivals);
        if (!this.#exclusive) await channel.cancel(tag.name);
      } catch (error) {
        // A consumer that has lost its channel resumes on another channel, and does so with the new prefetch.
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

  /** Stops resuming. The consumer still receives the messages that the broker sends. */
  abandon(): void {
    this.#wanted = false;
    this.#records?.setLimit(0);
    this.#owner.onCancelled(this);
  }

  /**
   * Sends the verdicts that were given and ends the channel. Deliveries without a verdict go back to the
   * queue.
   */
  async close(): Promise<void> {
    this.#closed = true;
    this.#onNoneOpen?.();
    this.#owner.onClosed(this);
    const subscription = this.#subscription;
    if (subscription === undefined) return;
    this.#subscription = undefined;
    const { channel, link, arrivals: { acknowledgements } } = subscription;
    acknowledgements.flush();
    acknowledgements.close();
    await Promise.race([channel.close().catch(() => {}), link.blocked, link.lost]);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.stop();
  }

  /**
   * Cancels at the broker, and ignores later deliveries: a blocked broker does not read the cancellation and
   * continues to deliver.
   */
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
    this.#early?.giveBack();
  }

  async #stop(): Promise<void> {
    await this.cancel();
    if (this.#open > 0 && !this.#closed) await new Promise<void>((resolve) => this.#onNoneOpen = resolve);
    await this.close();
  }

  async #openChannel(link: Link): Promise<Omit<Subscription, "tag">> {
    const channel = await link.openChannel();
    const arrivals = new Arrivals(channel);
    let refused: Error | undefined;
    channel.on("error", (error) => refused = error);
    channel.on("close", () => {
      const isLate = refused !== undefined && isOverdue(reasonOf(refused));
      this.#early?.drop(arrivals.proof);
      arrivals.end((delivery) => isLate ? this.#overdue.add(this.queue, delivery) : undefined);
      if (this.#subscription?.channel !== channel) return;
      this.#records?.interrupt();
      const live = this.#subscription.tag.live;
      this.#subscription = undefined;
      if (live && this.#wanted) this.#onInterrupted?.();
      // A connection closes its channels before it says that it has ended itself.
      queueMicrotask(() => {
        if (link.alive && this.#wanted) this.#owner.onInterrupted(this, link, endingOf(refused));
      });
    });
    return { link, channel, arrivals };
  }

  /** Consumes under a new tag. The broker applies a prefetch only to the consumers that start after it. */
  async #subscribe(
    link: Link,
    channel: Channel,
    arrivals: Arrivals,
  ): Promise<ConsumerTag> {
    const records = this.#records;
    const credit = records === undefined ? this.#prefetch : Math.max(this.#prefetch, LEAST_CREDIT);
    const tag: ConsumerTag = { name: "", live: true, prefetch: credit, open: 0 };
    const onMessage = (message: ReceivedMessage | null) => {
      if (message !== null) return this.#receive(link, message, tag, arrivals);
      tag.live = false;
      records?.forget();
      if (this.#wanted) this.#onInterrupted?.();
      if (this.#wanted) this.#owner.onInterrupted(this, link, "the queue was deleted");
    };
    const [, { consumerTag }] = await Promise.all([
      channel.prefetch(tag.prefetch),
      channel.consume(this.queue, onMessage, {
        exclusive: this.#exclusive,
        arguments: records === undefined
          ? this.#arguments
          : { ...this.#arguments, "x-stream-offset": records.argument },
      }),
    ]);
    tag.name = consumerTag;
    records?.began();
    return tag;
  }

  /** Takes a message that has arrived. */
  #receive(link: Link, message: ReceivedMessage, tag: ConsumerTag, arrivals: Arrivals): void {
    const { deliveryTag } = message.fields;
    if (deliveryTag !== ++arrivals.count) {
      const wanted = `instead of ${arrivals.count}`;
      return void link.fail(new Error(`The broker gave a delivery the number ${deliveryTag} ${wanted}`));
    }
    if (this.#deaf) return;
    const records = this.#records;
    if (tag.open >= tag.prefetch * EXCESS + (records === undefined ? 0 : BLOCK_LIMIT)) {
      return void link.fail(
        new Error(
          `The broker sent more than ${tag.open} messages to a consumer with prefetch ${tag.prefetch}`,
        ),
      );
    }
    tag.open++;
    const delivery = toDelivery(message, arrivals.acknowledgements.signal);
    if (this.#early !== undefined) {
      this.#open++;
      return this.#early.add({ delivery, deliveryTag, tag, proof: arrivals.proof });
    }
    if (records === undefined) return this.#hand(delivery, deliveryTag, tag, arrivals);
    records.arrive(delivery, this.#takerOf(deliveryTag, tag, arrivals));
  }

  #takerOf(deliveryTag: number, tag: ConsumerTag, arrivals: Arrivals): RecordTaker {
    return {
      hand: (record) => this.#hand(record, deliveryTag, tag, arrivals),
      pass: (record) => this.#answer(record, deliveryTag, tag, arrivals, "ack"),
    };
  }

  /** Hands a delivery to the receiver, unless it repeats one that the receiver still works on. */
  #hand(delivery: Delivery, deliveryTag: number, tag: ConsumerTag, arrivals: Arrivals): void {
    const { redelivered } = delivery;
    const { open } = arrivals;
    if (redelivered && this.#attach(deliveryTag, delivery, tag, arrivals)) return;
    const held: OpenDelivery = { delivery, overdue: undefined };
    open.set(deliveryTag, held);
    this.#open++;
    const settle = (verdict: Verdict) => {
      if (held.overdue !== undefined) {
        this.#records?.end(delivery, verdict);
        held.overdue.end(verdict);
      } else {
        open.delete(deliveryTag);
        this.#answer(delivery, deliveryTag, tag, arrivals, verdict);
      }
      this.#end();
    };
    const fail = () => settle(redelivered ? "reject" : "requeue");
    try {
      this.#receiver(delivery).then(settle, fail);
    } catch {
      fail();
    }
  }

  #end(): void {
    if (--this.#open === 0) this.#onNoneOpen?.();
  }

  /** Gives the broker a verdict. A stream offers no record again, so this consumer does it for the broker. */
  #answer(
    delivery: Delivery,
    deliveryTag: number,
    tag: ConsumerTag,
    arrivals: Arrivals,
    verdict: Verdict,
  ): void {
    const records = this.#records;
    if (records !== undefined && verdict === "requeue" && this.#wanted && !arrivals.ended) {
      return records.requeue(delivery, this.#takerOf(deliveryTag, tag, arrivals));
    }
    tag.open--;
    arrivals.acknowledgements.settle(deliveryTag, verdict);
    records?.end(delivery, verdict);
  }

  /** Lets a repetition wait for the verdict of the run that it repeats. Returns false if there is no such run. */
  #attach(
    deliveryTag: number,
    delivery: Delivery,
    tag: ConsumerTag,
    arrivals: Arrivals,
  ): boolean {
    const { detach } = arrivals;
    const leave = this.#overdue.attach(this.queue, delivery, (verdict) => {
      detach.delete(deliveryTag);
      this.#answer(delivery, deliveryTag, tag, arrivals, verdict);
    });
    if (leave === false) return false;
    detach.set(deliveryTag, leave);
    return true;
  }

  /** Whether the broker sends enough records of a stream already, or may not be asked to begin elsewhere. */
  #hasCredit({ prefetch }: ConsumerTag): boolean {
    const records = this.#records;
    return records !== undefined && (this.#prefetch <= prefetch || !records.hasArrived);
  }

  #change(task: () => Promise<void>): Promise<void> {
    this.#changes++;
    const run = this.#lastChange.then(task);
    this.#lastChange = run.catch(() => {}).then(() => this.#changes--);
    return run;
  }
}
