import type { QueueDeclaration } from "../../runtime/message/transport.ts";
import type { Alarm, Ringable } from "./alarm.ts";
import { Backlog, type QueuedMessage } from "./backlog.ts";
import type { DeadLetterRoute, DeathReason } from "./dead_letter.ts";
import { type QueueArguments, readQueueArguments } from "./queue_arguments.ts";
import type { SealedMessage } from "./sealed_message.ts";

/** Takes messages from a queue while it is free. */
export interface QueueConsumer {
  readonly free: boolean;
  readonly exclusive: boolean;
  take(entry: QueuedMessage): void;
  /** The queue is gone; nothing more comes. */
  orphan(): void;
}

/** What a queue asks of the broker that holds it. */
export interface QueueKeeper {
  readonly alarm: Alarm;
  bury(message: SealedMessage, queue: Queue, reason: DeathReason, route: DeadLetterRoute): void;
  remove(queue: Queue): void;
}

/**
 * A queue: messages that wait, and consumers that take them in turn.
 *
 * A message goes to a consumer the moment that both are there, so whatever waits, waits because no consumer is
 * free; limits and lifetimes only ever look at what waits.
 */
export class Queue implements Ringable {
  readonly name: string;
  readonly declaration: QueueDeclaration;
  /** The connection that owns an exclusive queue. */
  readonly owner: object | undefined;
  readonly #keeper: QueueKeeper;
  readonly #arguments: QueueArguments;
  /** By priority. */
  readonly #levels: Backlog[];
  readonly #consumers: QueueConsumer[] = [];
  #turn = 0;
  #waiting = 0;
  #position = 0;
  /** Whether a message that expires was ever here. */
  #expires = false;
  #leaseEnd = Infinity;
  #removed = false;

  /** @throws {BrokerError} If an argument makes no sense. */
  constructor(declaration: QueueDeclaration, owner: object | undefined, keeper: QueueKeeper) {
    this.name = declaration.name;
    this.declaration = declaration;
    this.owner = owner;
    this.#keeper = keeper;
    this.#arguments = readQueueArguments(declaration);
    this.#levels = Array.from({ length: this.#arguments.maxPriority + 1 }, () => new Backlog());
    this.renew();
  }

  /** Messages that no consumer holds. */
  get waiting(): number {
    if (this.#expires) this.#buryExpired(performance.now());
    return this.#waiting;
  }

  get consumers(): readonly QueueConsumer[] {
    return this.#consumers;
  }

  /** Takes a message in: to a consumer if one is free, to the backlog otherwise. */
  accept(message: SealedMessage): void {
    const { expiration } = message.properties;
    const lifetime = expiration === undefined
      ? this.#arguments.messageLifetime
      : Math.min(Number(expiration), this.#arguments.messageLifetime);
    const entry: QueuedMessage = {
      message,
      position: ++this.#position,
      expiresAt: lifetime === Infinity ? Infinity : performance.now() + lifetime,
      redelivered: false,
    };
    const consumer = this.#waiting === 0 ? this.#freeConsumer() : undefined;
    if (consumer !== undefined) return consumer.take(entry);
    this.#level(message).push(entry);
    this.#waiting++;
    if (lifetime !== Infinity) this.#expires = true;
    this.#limit();
    this.#watch();
  }

  /** Takes a message back to its old place. */
  restore(entry: QueuedMessage): void {
    if (this.#removed) return;
    this.#level(entry.message).restore(entry);
    this.#waiting++;
    if (entry.expiresAt !== Infinity) this.#expires = true;
    this.dispatch();
    this.#limit();
  }

  /** Drops a message, to the dead-letter exchange if there is one. */
  bury({ message }: QueuedMessage, reason: DeathReason): void {
    const { deadLetterRoute } = this.#arguments;
    if (deadLetterRoute !== undefined && !this.#removed) {
      this.#keeper.bury(message, this, reason, deadLetterRoute);
    }
  }

  /** Gives what waits to consumers that are free. */
  dispatch(): void {
    if (this.#waiting > 0) {
      if (this.#expires) this.#buryExpired(performance.now());
      for (let consumer; this.#waiting > 0 && (consumer = this.#freeConsumer()) !== undefined;) {
        const entry = this.#shift();
        if (entry === undefined) break;
        consumer.take(entry);
        if (this.#expires) this.#buryExpired(performance.now());
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

  /** Starts the lease of an unused queue anew. */
  renew(): void {
    if (this.#consumers.length > 0 || this.#arguments.lease === Infinity) return;
    this.#leaseEnd = performance.now() + this.#arguments.lease;
    this.#watch();
  }

  ring(now: number): void {
    if (this.#leaseEnd <= now) return this.#keeper.remove(this);
    this.#buryExpired(now);
    this.#watch();
  }

  /** Lets go of everything; the broker has forgotten the queue. */
  discard(): void {
    this.#removed = true;
    this.#keeper.alarm.set(this, Infinity);
    this.#waiting = 0;
    this.#levels.length = 0;
    for (const consumer of this.#consumers.splice(0)) consumer.orphan();
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

  /** Sets the alarm to the next deadline: the end of the lease, or of a message at a head. */
  #watch(): void {
    if (this.#removed || (!this.#expires && this.#arguments.lease === Infinity)) return;
    let deadline = this.#leaseEnd;
    for (const { head } of this.#levels) {
      if (head !== undefined) deadline = Math.min(deadline, head.expiresAt);
    }
    this.#keeper.alarm.set(this, deadline);
  }
}
