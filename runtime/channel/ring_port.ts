/**
 * A message port whose common messages go through shared memory.
 *
 * To post a message through a `MessagePort` costs more than most calls do: the port serializes and queues
 * each message, and wakes the other thread. So a side writes each message that the codec can turn into a text
 * to a ring, and wakes the other side only if that side waits. All other messages go through the port as
 * before: bytes, streams, large messages, and every message while the ring is full.
 *
 * Invariant: messages arrive in the order in which they were posted, through the ring or through the port.
 * The invariant holds because the messages have numbers, and a side delivers a number only after the number
 * before it. No message stays in the ring without a reader. When a side ends its turn, one of three things is
 * true: it has asked to be woken, or it will look again, or the number that it waits for is in the port and
 * will wake it.
 *
 * A side that gets messages at short intervals looks again in its next turns before it asks to be woken,
 * because a wake-up costs both sides more than a look.
 */
import type { Port } from "./port.ts";
import { NOTIFIES, RingReader, RingWriter } from "./shared_ring.ts";

/** Chooses the messages that go through a ring, and turns them into texts and back. */
export interface RingCodec<Message> {
  /** Returns the text of a message, or undefined if the message must go through the port. */
  encode(message: Message): string | undefined;
  decode(text: string): Message;
}

/** Parts of a {@linkcode RingPort}. The `outgoing` of one side is the `incoming` of the other side. */
export interface RingPortOptions<Outgoing, Incoming> {
  readonly outgoing: SharedArrayBuffer;
  readonly incoming: SharedArrayBuffer;
  readonly outgoingCodec: RingCodec<Outgoing>;
  readonly incomingCodec: RingCodec<Incoming>;
}

/** Tells the other side that the ring holds a message, if the ring itself cannot wake that side. */
const BELL = 0;

/** Milliseconds. If messages come at shorter intervals than this, a side goes on looking for this time. */
const SHORT_INTERVAL = 0.1;

/** The functions as they were before service code could replace them. */
const { clearImmediate, setImmediate } = globalThis;

type Posted<Message> = typeof BELL | readonly [number: number, message: Message];

/** One end of a channel. */
export class RingPort<Outgoing, Incoming> implements Port<Outgoing, Incoming> {
  readonly #port: MessagePort;
  readonly #writer: RingWriter;
  readonly #reader: RingReader;
  readonly #outgoing: RingCodec<Outgoing>;
  readonly #incoming: RingCodec<Incoming>;
  readonly #arrived: (readonly [number, Incoming])[] = [];
  #sent = 0;
  #expected = 0;
  #receivedAt = -Infinity;
  #looking: ReturnType<typeof setImmediate> | undefined;
  #waiting = false;
  #onmessage: Port<Outgoing, Incoming>["onmessage"] = null;

  constructor(
    port: MessagePort,
    { outgoing, incoming, outgoingCodec, incomingCodec }: RingPortOptions<Outgoing, Incoming>,
  ) {
    this.#port = port;
    this.#writer = new RingWriter(outgoing);
    this.#reader = new RingReader(incoming);
    this.#outgoing = outgoingCodec;
    this.#incoming = incomingCodec;
  }

  get onmessage(): Port<Outgoing, Incoming>["onmessage"] {
    return this.#onmessage;
  }

  set onmessage(listener: Port<Outgoing, Incoming>["onmessage"]) {
    this.#onmessage = listener;
    this.#port.onmessage = listener === null ? null : this.#receive;
    // Messages that came before the listener have woken nobody.
    if (!this.#waiting) queueMicrotask(this.#woken);
  }

  postMessage(message: Outgoing): void {
    const number = this.#sent;
    this.#sent = (number + 1) | 0;
    const text = this.#outgoing.encode(message);
    if (text === undefined || !this.#writer.write(number, text)) this.#post([number, message]);
    else if (this.#writer.wake() && !NOTIFIES) this.#post(BELL);
  }

  close(): void {
    this.onmessage = null;
    clearImmediate(this.#looking);
    this.#reader.endWait();
    this.#port.close();
  }

  #post(posted: Posted<Outgoing>): void {
    this.#port.postMessage(posted);
  }

  readonly #receive = ({ data }: { readonly data: Posted<Incoming> }): void => {
    if (data === BELL) this.#waiting = false;
    else this.#arrived.push(data);
    if (this.#looking === undefined) this.#look();
  };

  readonly #woken = (): void => {
    this.#waiting = false;
    if (this.#looking === undefined) this.#look();
  };

  readonly #look = (): void => {
    this.#looking = undefined;
    const now = performance.now();
    const first = this.#expected;
    while (this.#onmessage !== null) {
      const message = this.#next();
      if (message !== undefined) {
        this.#expected = (this.#expected + 1) | 0;
        this.#onmessage({ data: message });
        continue;
      }
      const number = this.#reader.nextNumber;
      if (number === this.#expected) continue;
      const isBusy = now - this.#receivedAt < SHORT_INTERVAL;
      if (this.#expected !== first) this.#receivedAt = now;
      if (isBusy) {
        this.#looking = setImmediate(this.#look);
        return;
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
    if (this.#arrived[0]?.[0] === this.#expected) return this.#arrived.shift()![1];
    return this.#reader.nextNumber === this.#expected
      ? this.#incoming.decode(this.#reader.take())
      : undefined;
  }
}
