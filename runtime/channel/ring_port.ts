/**
 * A message port whose common messages go through shared memory.
 *
 * Posting through a `MessagePort` costs more than most calls do: each message is serialized, queued, and wakes
 * the other thread. So messages that the codec can make a text of are written to a ring, and the other side is
 * woken only when it waits. All else goes through the port as before: bytes, streams, what is large, and
 * everything while the ring is full.
 *
 * Invariant: messages arrive in the order in which they were posted, whichever way they took. It holds because
 * they are numbered, and a number is delivered only after the one before it. Nothing is left lying: before a side
 * ends its turn it has either asked to be woken, or it will look again, or the number that it waits for is in the
 * port and will wake it.
 *
 * A side that gets messages at short intervals looks again in its next turns before it asks to be woken, because
 * that costs both sides more than to look.
 */
import type { Port } from "./port.ts";
import { NOTIFIES, RingReader, RingWriter } from "./shared_ring.ts";

/** Which messages go through a ring, and as what. */
export interface RingCodec<Message> {
  /** The text of a message; undefined if it must go through the port. */
  encode(message: Message): string | undefined;
  decode(text: string): Message;
}

/** What a {@linkcode RingPort} is made of; one side's `outgoing` is the other's `incoming`. */
export interface RingPortOptions<Outgoing, Incoming> {
  readonly outgoing: SharedArrayBuffer;
  readonly incoming: SharedArrayBuffer;
  readonly outgoingCodec: RingCodec<Outgoing>;
  readonly incomingCodec: RingCodec<Incoming>;
}

/** Means that there is something in the ring, where the ring itself cannot wake the other side. */
const BELL = 0;

/** Milliseconds between messages below which a side goes on looking, and for which it does. */
const SHORT_INTERVAL = 0.1;

/** As they were before service code could replace them. */
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
    // What came before has woken nobody
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
      // A record that is not the next one waits for a message in the port
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
