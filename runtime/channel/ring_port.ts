/**
 * A message port whose common messages go through shared memory.
 *
 * To post a message through a `MessagePort` costs more than most calls do: the port serializes and queues
 * each message, and wakes the other thread. So a side writes each message that the codec can turn into a record
 * to a ring, and wakes the other side only if that side waits. All other messages go through the port as
 * before: streams, large messages, and every message while the ring is full.
 *
 * Invariant: messages arrive in the order in which they were posted, through the ring or through the port.
 * The invariant holds because the messages have numbers, and a side delivers a number only after the number
 * before it. No message stays in the ring without a reader. When a side ends its turn, one of three things is
 * true: it has asked to be woken, or it will look again, or the number that it waits for is in the port and
 * will wake it.
 *
 * The main thread wakes a thread once for all messages of a turn, because a wake-up costs as much as several calls. A
 * thread wakes the main thread at once: the code of a service may go on for long after it has posted something.
 *
 * A side that finds no message asks to be woken at once. To look again in its next turns, because a message may come
 * soon, costs more than it saves: it takes the time of a core that the other side or a neighbour needs.
 *
 * The main thread trusts nothing that it reads here, because service code may write to the ring and to the port
 * of its thread. What no honest thread sends is a fault, after which a side delivers nothing more. A turn of
 * the event loop delivers only a bounded number of messages, so that no thread can keep the main thread busy.
 */
import type { Port } from "./port.ts";
import { Arrivals } from "./arrivals.ts";
import { type RecordShape, RingRecord } from "./ring_record.ts";
import { NOTIFIES, RingReader, RingWriter } from "./shared_ring.ts";

/** Chooses the messages that go through a ring, and turns them into records and back. */
export interface RingCodec<Message> {
  readonly shape: RecordShape;
  /** Puts a message into an empty record. Returns false if the message must go through the port. */
  encode(message: Message, record: RingRecord): boolean;
  /** Takes a message out of a record, which its writer may have filled with anything. */
  decode(record: RingRecord): Message;
  /** Returns a message as it goes through the port. @default {as it is} */
  posted?(message: Message): unknown;
}

/** Parts of a {@linkcode RingPort}. The `outgoing` of one side is the `incoming` of the other side. */
export interface RingPortOptions<Outgoing, Incoming> {
  readonly outgoing: SharedArrayBuffer;
  readonly incoming: SharedArrayBuffer;
  readonly outgoingCodec: RingCodec<Outgoing>;
  readonly incomingCodec: RingCodec<Incoming>;
  /** When this side wakes the other side. @default {"at once"} */
  readonly wakes?: WakeTime;
}

/**
 * When a side of a channel wakes the other side: with each message, at the end of its turn of the event loop, once for
 * all messages of the turn, or when {@linkcode RingPort.wake} is called. What is not at once is for a side that gets its
 * work in bundles, and whose turns are short.
 */
export type WakeTime = "at once" | "at end of turn" | "when told";

/** Tells the other side that the ring holds a message, if the ring itself cannot wake that side. */
const BELL = 0;

/** Most messages that a side delivers in one turn of the event loop. */
const MOST_IN_TURN = 1_024;

/** Milliseconds after which a side ends its turn, though there are more messages. */
const LONGEST_TURN = 5;

/** A side looks at the clock once in so many messages. The number is a power of two. */
const CLOCK_STEP = 16;

/** The functions as they were before service code could replace them. */
const { clearImmediate, queueMicrotask, setImmediate } = globalThis;

type Posted<Message> = typeof BELL | readonly [number: number, message: Message];

/** One end of a channel. */
export class RingPort<Outgoing, Incoming> implements Port<Outgoing, Incoming> {
  readonly #port: MessagePort;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  readonly #outgoing: RingCodec<Outgoing>;
  readonly #incoming: RingCodec<Incoming>;
  readonly #written: RingRecord;
  readonly #read: RingRecord;
  readonly #wakes: WakeTime;
  readonly #arrived = new Arrivals<Incoming>();
  #sent = 0;
  /** Whether the other side is still to be woken for messages in the ring. */
  #willWake = false;
  #expected = 0;
  #looking: ReturnType<typeof setImmediate> | undefined;
  #waiting = false;
  #onmessage: Port<Outgoing, Incoming>["onmessage"] = null;
  #onfault: Port<Outgoing, Incoming>["onfault"] = null;

  constructor(
    port: MessagePort,
    options: RingPortOptions<Outgoing, Incoming>,
  ) {
    const { outgoing, incoming, outgoingCodec, incomingCodec, wakes = "at once" } = options;
    this.#wakes = wakes;
    this.#port = port;
    this.#writer = new RingWriter(outgoing);
    this.#reader = new RingReader(incoming);
    this.#outgoing = outgoingCodec;
    this.#incoming = incomingCodec;
    this.#written = new RingRecord(outgoingCodec.shape);
    this.#read = new RingRecord(incomingCodec.shape);
  }

  /** Gets the messages. Those that come while it is null wait for the next listener. */
  get onmessage(): Port<Outgoing, Incoming>["onmessage"] {
    return this.#onmessage;
  }

  set onmessage(listener: Port<Outgoing, Incoming>["onmessage"]) {
    this.#onmessage = listener;
    if (listener === null) return;
    // A `MessagePort` whose listener is taken away loses what comes, so this one stays, and keeps that.
    this.#port.onmessage ??= this.#receive;
    // Messages that came before the listener have woken nobody.
    if (!this.#waiting) queueMicrotask(this.#woken);
  }

  get onfault(): Port<Outgoing, Incoming>["onfault"] {
    return this.#onfault;
  }

  set onfault(listener: Port<Outgoing, Incoming>["onfault"]) {
    this.#onfault = listener;
    this.#port.onmessageerror = listener === null ? null : this.#unreadable;
  }

  postMessage(message: Outgoing): void {
    // A message that cannot be posted must not take the number: the other side would wait for it for ever.
    const number = this.#sent;
    const record = this.#written;
    record.clear();
    if (!this.#outgoing.encode(message, record) || !this.#writer.write(number, record)) {
      // The port takes large messages, which nothing must keep in memory.
      record.clear();
      this.#post([number, this.#outgoing.posted?.(message) ?? message]);
      this.#sent = (number + 1) | 0;
      return;
    }
    this.#sent = (number + 1) | 0;
    if (this.#wakes === "at once") this.#wake();
    else if (!this.#willWake) {
      this.#willWake = true;
      if (this.#wakes === "at end of turn") setImmediate(this.#wake);
    }
  }

  /** Wakes the other side if it waits and something has been posted since it was woken last. */
  wake(): void {
    if (this.#willWake) this.#wake();
  }

  readonly #wake = (): void => {
    this.#willWake = false;
    if (this.#writer.wake() && !NOTIFIES) this.#post(BELL);
  };

  close(): void {
    this.onmessage = null;
    this.onfault = null;
    this.#port.onmessage = null;
    clearImmediate(this.#looking);
    this.#reader.endWait();
    this.#port.close();
  }

  #post(posted: Posted<unknown>): void {
    this.#port.postMessage(posted);
  }

  readonly #receive = ({ data }: { readonly data: Posted<Incoming> }): void => {
    if (data === BELL) this.#waiting = false;
    else if (isNumbered(data)) this.#arrived.add(data);
    else return this.#fail("it posted something that is no message");
    if (this.#looking === undefined) this.#look();
  };

  readonly #unreadable = (): void => this.#fail("it posted a message that cannot be read");

  readonly #woken = (): void => {
    this.#waiting = false;
    if (this.#looking === undefined) this.#look();
  };

  readonly #look = (): void => {
    this.#looking = undefined;
    const now = performance.now();
    let at = now;
    for (let delivered = 1; this.#onmessage !== null; delivered++) {
      let message: Incoming | undefined;
      let number: number | undefined;
      try {
        message = this.#next();
        if (message === undefined) number = this.#reader.nextNumber;
      } catch (error) {
        if (this.#onfault === null) throw error;
        return this.#fail(`it wrote a message that cannot be read: ${(error as Error).message}`);
      }
      if (message !== undefined) {
        this.#expected = (this.#expected + 1) | 0;
        this.#onmessage({ data: message, at });
        if ((delivered & (CLOCK_STEP - 1)) === 0) at = performance.now();
        if (delivered < MOST_IN_TURN && at - now <= LONGEST_TURN) continue;
        this.#looking = setImmediate(this.#look);
        return;
      }
      if (number === this.#expected) continue;
      // A message is in the port only after all messages before it have been posted.
      if (this.#arrived.nextNumber !== undefined && this.#arrived.nextNumber !== this.#expected) {
        return this.#fail("the numbers of its messages have a gap");
      }
      // If the ring has a later number, the expected message is in the port and will wake this side.
      if (number !== undefined || this.#waiting) return;
      if (this.#reader.wait(this.#woken)) {
        this.#waiting = true;
        return;
      }
    }
  };

  #next(): Incoming | undefined {
    if (this.#arrived.nextNumber === this.#expected) return this.#arrived.take();
    if (this.#reader.nextNumber !== this.#expected) return undefined;
    this.#reader.take(this.#read);
    const message = this.#incoming.decode(this.#read);
    this.#read.requireEnd();
    return message;
  }

  #fail(fault: string): void {
    const listener = this.#onfault;
    if (listener === null) throw new TypeError(`Cannot read the messages of the other side: ${fault}`);
    this.onmessage = null;
    this.onfault = null;
    this.#port.onmessage = null;
    listener(fault);
  }
}

function isNumbered(data: unknown): boolean {
  return Array.isArray(data) && data.length === 2 && Number.isInteger(data[0]) && data[1] !== undefined;
}
