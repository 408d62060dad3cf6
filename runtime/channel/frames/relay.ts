/** How a process passes on the messages between its threads and the main thread of another process. */
import { deserialize } from "node:v8";
import { type Frame, FrameKind, type FrameWriter } from "./frame_stream.ts";
import { fill, frameOf } from "./framed_record.ts";
import { plainFrame } from "./plain_form.ts";
import type { FromThread, ToThread } from "../port.ts";
import { FROM_THREAD, slotOfCall, TO_THREAD } from "../port_codec.ts";
import type { RingCodec, RingPort } from "../ring_port.ts";
import { RingRecord } from "../ring_record.ts";
import { channelWith, type ThreadChannelEnd } from "../thread_channel.ts";

/** Lets records pass a ring as they are. What does not fit into the ring is read, for the port. */
function passing<Message>({ shape, decode }: RingCodec<Message>): RingCodec<Message | RingRecord> {
  return {
    shape,
    encode(message, record) {
      if (!(message instanceof RingRecord)) return false;
      record.copy(message);
      return true;
    },
    // Whoever gets it uses it before the next one is read.
    decode(record) {
      record.skip();
      return record;
    },
    posted: (message) => message instanceof RingRecord ? decode(message) : message,
  };
}

const OUTGOING = passing(TO_THREAD);
const INCOMING = passing(FROM_THREAD);

/** The end of a thread's channel in its own process, which is not that of the main thread. */
export class Relay {
  /** The end of the channel for the thread. */
  readonly thread: ThreadChannelEnd;
  readonly #port: RingPort<ToThread | RingRecord, FromThread | RingRecord>;
  readonly #writer: FrameWriter;
  readonly #receiver: number;
  readonly #onCall: (slot: number) => void;
  readonly #record = new RingRecord(TO_THREAD.shape);
  readonly #sent = new RingRecord(FROM_THREAD.shape);
  #isClosed = false;

  /**
   * @param receiver Number of the thread in the frames.
   * @param onCall Called with the slot of each call before the thread can see the call.
   */
  constructor(writer: FrameWriter, receiver: number, onCall: (slot: number) => void) {
    const { host, thread } = channelWith(OUTGOING, INCOMING, "when told");
    this.thread = thread;
    this.#port = host;
    this.#writer = writer;
    this.#receiver = receiver;
    this.#onCall = onCall;
    host.onmessage = this.#send;
    host.onfault = () => writer.write(receiver, UNREADABLE);
  }

  /** Passes a frame from the main thread on. The thread looks at it after {@linkcode wake}, at the latest. */
  receive(frame: Frame): void {
    if (frame.kind === FrameKind.record) {
      fill(this.#record, frame);
      const slot = slotOfCall(this.#record);
      if (slot !== undefined) this.#onCall(slot);
      this.#port.postMessage(this.#record);
      // The process keeps no message that it has passed on.
      return this.#record.clear();
    }
    const message: ToThread = deserialize(frame.bytes!);
    if (message.type === "call") this.#onCall(message.slot);
    this.#port.postMessage(message);
  }

  /** Wakes the thread, once for all frames that have come together. */
  wake(): void {
    this.#port.wake();
  }

  /** Sends the thread a message of this process. */
  postMessage(message: ToThread): void {
    this.#port.postMessage(message);
    this.#port.wake();
  }

  close(): void {
    this.#isClosed = true;
    this.#port.close();
  }

  readonly #send = ({ data }: { readonly data: FromThread | RingRecord }): void => {
    this.#writer.write(this.#receiver, data instanceof RingRecord ? frameOf(data) : this.#sendable(data));
    if (this.#writer.isFull) void this.#rest();
  };

  /** Makes the frame of a message, which service code may have posted, and which may be anything. */
  #sendable(message: FromThread): Frame {
    const record = this.#sent;
    record.clear();
    try {
      return FROM_THREAD.encode(message, record) ? frameOf(record) : plainFrame(message);
    } catch {
      return message?.type === "failed" ? withoutData(message) : UNREADABLE;
    } finally {
      record.clear();
    }
  }

  /** Lets the thread wait until the main thread has read more. */
  async #rest(): Promise<void> {
    this.#port.onmessage = null;
    await this.#writer.flushed();
    if (!this.#isClosed) this.#port.onmessage = this.#send;
  }
}

/** Stands for what a thread has sent and nobody can read. Whoever reads it finds that out, too. */
const UNREADABLE: Frame = { kind: FrameKind.plain, text: "" };

/** Tells of a failure whose data is too large. */
function withoutData(message: Extract<FromThread, { readonly type: "failed" }>): Frame {
  try {
    const { data: _, ...failure } = message.failure;
    return plainFrame({ ...message, failure });
  } catch {
    return UNREADABLE;
  }
}
