import type { Clock } from "../../runtime/waiting/clock.ts";
import type { QueueDeclaration, StreamOffset } from "../../runtime/message/transport.ts";
import type { Alarm, Ringable } from "./alarm.ts";
import { Backlog, type QueuedMessage } from "./backlog.ts";
import type { DeadLetterRoute, DeathReason } from "./dead_letter.ts";
import { type QueueArguments, readQueueArguments } from "./queue_arguments.ts";
import type { SealedMessage } from "./sealed_message.ts";

/** A consumer takes messages from a queue while it is free. */
export interface QueueConsumer {
  readonly free: boolean;
  /** Number of messages that it has got and that have no verdict. */
  readonly held: number;
  readonly exclusive: boolean;
  /** Where to begin in a stream. */
  readonly offset?: StreamOffset | undefined;
  take(entry: QueuedMessage): void;
}

/**
 * A queue needs this from the broker that keeps it.
 *
 * @internal
 */
export interface QueueKeeper {
  readonly clock: Clock;
  readonly alarm: Alarm;
  bury(message: SealedMessage, queue: Queue, reason: DeathReason, route: DeadLetterRoute): void;
  remove(queue: Queue): void;
}

/**
 * A queue holds messages that wait, and gives them to its consumers in turn.
 *
 * A message goes to a consumer as soon as both are there, so a message waits only while no consumer is free. Limits
 * and lifetimes concern only the messages that wait.
 */
export class Queue implements Ringable {
  readonly name: string;
  readonly declaration: QueueDeclaration;
  /** An exclusive queue belongs to this connection. */
  readonly owner: object | undefined;
  readonly #keeper: QueueKeeper;
  readonly #clock: Clock;
  readonly #arguments: QueueArguments;
  /** The index of a level is its priority. */
  readonly #levels: Backlog[];
  readonly #consumers: QueueConsumer[] = [];
  #turn = 0;
  #waiting = 0;
  #position = 0;
  /** Says whether a message that expires was ever here. */
  #expires = false;
  #leaseEnd = Infinity;
  #removed = false;

  /** @throws {BrokerError} If the broker cannot accept an argument. */
  constructor(declaration: QueueDeclaration, owner: object | undefined, keeper: QueueKeeper) {
    this.name = declaration.name;
    this.declaration = declaration;
    this.owner = owner;
    this.#keeper = keeper;
    this.#clock = keeper.clock;
    this.#arguments = readQueueArguments(declaration);
    this.#levels = Array.from({ length: this.#arguments.maxPriority + 1 }, () => new Backlog());
    this.renew();
  }

  /** Returns how many messages no consumer holds. */
  get waiting(): number {
    if (this.#expires) this.#buryExpired(this.#clock.steady());
    return this.#waiting;
  }

  /** Returns how many messages its consumers hold. */
  get held(): number {
    return this.#consumers.reduce((sum, { held }) => sum + held, 0);
  }

  get consumers(): readonly QueueConsumer[] {
    return this.#consumers;
  }

  /** Gives a message to a consumer if one is free, and to the backlog otherwise. */
  accept(message: SealedMessage): void {
    const { expiration } = message.properties;
    const lifetime = expiration === undefined
      ? this.#arguments.messageLifetime
      : Math.min(Number(expiration), this.#arguments.messageLifetime);
    const entry: QueuedMessage = {
      message,
      position: ++this.#position,
      expiresAt: lifetime === Infinity ? Infinity : this.#clock.steady() + lifetime,
      returns: 0,
    };
    const consumer = this.#waiting === 0 ? this.#freeConsumer() : undefined;
    if (consumer !== undefined) return consumer.take(entry);
    this.#level(message).push(entry);
    this.#waiting++;
    if (lifetime !== Infinity) this.#expires = true;
    this.#limit();
    this.#watch();
  }

  /** Takes a message back from a consumer, at its old place. */
  restore(entry: QueuedMessage, _consumer: QueueConsumer): void {
    if (this.#removed) return;
    if (entry.returns > this.#arguments.deliveryLimit) {
      this.bury(entry, "delivery_limit");
      return this.dispatch();
    }
    this.#level(entry.message).restore(entry);
    this.#waiting++;
    if (entry.expiresAt !== Infinity) this.#expires = true;
    this.dispatch();
    this.#limit();
  }

  /** Drops a message, or sends it to the dead-letter exchange if the queue has one. */
  bury({ message }: QueuedMessage, reason: DeathReason): void {
    const { deadLetterRoute } = this.#arguments;
    if (deadLetterRoute !== undefined && !this.#removed) {
      this.#keeper.bury(message, this, reason, deadLetterRoute);
    }
  }

  /** Gives waiting messages to consumers that are free. */
  dispatch(): void {
    if (this.#waiting > 0) {
      if (this.#expires) this.#buryExpired(this.#clock.steady());
      for (let consumer; this.#waiting > 0 && (consumer = this.#freeConsumer()) !== undefined;) {
        const entry = this.#shift();
        if (entry === undefined) break;
        consumer.take(entry);
        if (this.#expires) this.#buryExpired(this.#clock.steady());
      }
    }
    this.#watch();
  }

  addConsumer(consumer: QueueConsumer): void {
    this.#consumers.push(consumer);
    this.#leaseEnd = Infinity;
    this.dispatch();
  }

  removeConsumer(consumer: QueueConsumer): void {
    const index = this.#consumers.indexOf(consumer);
    if (index < 0) return;
    this.#consumers.splice(index, 1);
    if (this.#consumers.length > 0) return;
    if (this.declaration.autoDelete === true) this.#keeper.remove(this);
    else this.renew();
  }

  /** Starts the lease of an unused queue again. */
  renew(): void {
    if (this.#consumers.length > 0 || this.#arguments.lease === Infinity) return;
    this.#leaseEnd = this.#clock.steady() + this.#arguments.lease;
    this.#watch();
  }

  ring(now: number): void {
    if (this.#leaseEnd <= now) return this.#keeper.remove(this);
    this.#buryExpired(now);
    this.#watch();
  }

  /** Lets go of everything, because the broker has forgotten the queue. */
  discard(): void {
    this.#removed = true;
    this.#keeper.alarm.set(this, Infinity);
    this.#waiting = 0;
    this.#levels.length = 0;
    this.#consumers.length = 0;
  }

  #level({ properties: { priority = 0 } }: SealedMessage): Backlog {
    return this.#levels[Math.min(priority, this.#levels.length - 1)] as Backlog;
  }

  #shift(): QueuedMessage | undefined {
    for (let level = this.#levels.length - 1; level >= 0; level--) {
      const entry = this.#levels[level]?.shift();
      if (entry === undefined) continue;
      this.#waiting--;
      return entry;
    }
    return undefined;
  }

  #freeConsumer(): QueueConsumer | undefined {
    const { length } = this.#consumers;
    for (let tried = 0; tried < length; tried++) {
      if (this.#turn >= length) this.#turn = 0;
      const consumer = this.#consumers[this.#turn++];
      if (consumer?.free) return consumer;
    }
    return undefined;
  }

  #limit(): void {
    while (this.#waiting > this.#arguments.maxLength) {
      const entry = this.#shift();
      if (entry === undefined) return;
      this.bury(entry, "maxlen");
    }
  }

  #buryExpired(now: number): void {
    for (const level of this.#levels) {
      for (let head = level.head; head !== undefined && head.expiresAt <= now; head = level.head) {
        level.shift();
        this.#waiting--;
        this.bury(head, "expired");
      }
    }
  }

  /** Sets the alarm to the next deadline, at which the lease ends or the first message of a level expires. */
  #watch(): void {
    if (this.#removed || (!this.#expires && this.#arguments.lease === Infinity)) return;
    let deadline = this.#leaseEnd;
    for (const { head } of this.#levels) {
      if (head !== undefined) deadline = Math.min(deadline, head.expiresAt);
    }
    this.#keeper.alarm.set(this, deadline);
  }
}
