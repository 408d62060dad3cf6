import type { QueueDeclaration, StreamOffset } from "../../runtime/message/transport.ts";
import type { Clock } from "../../runtime/waiting/clock.ts";
import { Backlog, type QueuedMessage } from "./backlog.ts";
import { Queue, type QueueConsumer, type QueueKeeper } from "./queue.ts";
import { readStreamLimits, type StreamLimits } from "./queue_arguments.ts";
import type { SealedMessage } from "./sealed_message.ts";

interface StreamRecord {
  readonly message: SealedMessage;
  /** Milliseconds since the epoch. */
  readonly at: number;
}

/** The place of one consumer. */
interface Cursor {
  /** Number of the record that it gets next, unless it wants others again. */
  next: number;
  readonly again: Backlog;
}

/**
 * A stream keeps its records, and gives each consumer all of them from where the consumer begins.
 *
 * Its records live in the memory of this process until a limit of the stream drops the oldest of them. A record has
 * the number of the records before it.
 */
export class Stream extends Queue {
  readonly #limits: StreamLimits;
  readonly #clock: Clock;
  readonly #cursors = new Map<QueueConsumer, Cursor>();
  /** The records that are kept, from index `#head` on. */
  #log: StreamRecord[] = [];
  #head = 0;
  /** Number of the record at `#head`. */
  #first = 0;
  #bytes = 0;

  /** @throws {BrokerError} If a stream cannot have what the declaration asks for. */
  constructor(declaration: QueueDeclaration, owner: object | undefined, keeper: QueueKeeper) {
    super(declaration, owner, keeper);
    this.#clock = keeper.clock;
    this.#limits = readStreamLimits(declaration);
  }

  override get waiting(): number {
    return this.#log.length - this.#head;
  }

  override accept(message: SealedMessage): void {
    this.#log.push({ message, at: this.#clock.now() });
    this.#bytes += message.body.length;
    this.#drop();
    this.dispatch();
  }

  /** Offers a record to its consumer again. */
  override restore(entry: QueuedMessage, consumer: QueueConsumer): void {
    this.#cursors.get(consumer)?.again.restore(entry);
    this.dispatch();
  }

  /** Does nothing: the record stays. */
  override bury(): void {}

  override dispatch(): void {
    for (const [consumer, cursor] of this.#cursors) {
      while (consumer.free) {
        const entry = cursor.again.shift() ?? this.#read(cursor);
        if (entry === undefined) break;
        consumer.take(entry);
      }
    }
  }

  override addConsumer(consumer: QueueConsumer): void {
    this.#cursors.set(consumer, { next: this.#resolve(consumer.offset ?? "next"), again: new Backlog() });
    super.addConsumer(consumer);
  }

  override removeConsumer(consumer: QueueConsumer): void {
    this.#cursors.delete(consumer);
    super.removeConsumer(consumer);
  }

  override discard(): void {
    super.discard();
    this.#cursors.clear();
    this.#log = [];
    this.#head = 0;
  }

  /** Number of the record that comes next. */
  get #end(): number {
    return this.#first + this.waiting;
  }

  #read(cursor: Cursor): QueuedMessage | undefined {
    const offset = Math.max(cursor.next, this.#first);
    const record = this.#log[this.#head + offset - this.#first];
    if (record === undefined) return undefined;
    cursor.next = offset + 1;
    return { message: record.message, position: offset, offset, expiresAt: Infinity, returns: 0 };
  }

  #resolve(offset: StreamOffset): number {
    if (typeof offset === "number") return offset;
    if (offset === "first") return this.#first;
    if (offset === "next") return this.#end;
    if (offset === "last") return Math.max(this.#first, this.#end - 1);
    const found = this.#log.findIndex(({ at }, index) => index >= this.#head && at >= offset.at);
    return found === -1 ? this.#end : this.#first + found - this.#head;
  }

  /** Drops the oldest records beyond the limits. The last record always stays. */
  #drop(): void {
    const oldest = this.#clock.now() - this.#limits.age;
    for (; this.waiting > 1; this.#head++, this.#first++) {
      const { message, at } = this.#log[this.#head]!;
      if (this.#bytes <= this.#limits.bytes && at >= oldest) break;
      this.#bytes -= message.body.length;
    }
    if (this.#head <= this.#log.length / 2) return;
    this.#log = this.#log.slice(this.#head);
    this.#head = 0;
  }
}
