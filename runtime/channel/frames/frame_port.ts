/** The main thread's end of the port of a thread in another process. */
import { serialize } from "node:v8";
import { RingRecord } from "../ring_record.ts";
import { type Frame, FrameKind, type FrameWriter } from "./frame_stream.ts";
import { fill, frameOf } from "./framed_record.ts";
import { plainMessage } from "./plain_form.ts";
import type { FromThread, HostPort, ToThread } from "../port.ts";
import { FROM_THREAD, TO_THREAD } from "../port_codec.ts";

/** Sends messages as frames to one thread, and delivers what the thread sends. */
export class FramePort implements HostPort {
  readonly #writer: FrameWriter;
  readonly #receiver: number;
  readonly #onSent: (message: ToThread) => void;
  readonly #written = new RingRecord(TO_THREAD.shape);
  readonly #read = new RingRecord(FROM_THREAD.shape);
  onmessage: HostPort["onmessage"] = null;
  onfault: HostPort["onfault"] = null;

  /** @param onSent Called with each message that could be written. */
  constructor(writer: FrameWriter, receiver: number, onSent: (message: ToThread) => void) {
    this.#writer = writer;
    this.#receiver = receiver;
    this.#onSent = onSent;
  }

  postMessage(message: ToThread): void {
    this.#written.clear();
    const frame = TO_THREAD.encode(message, this.#written)
      ? frameOf(this.#written)
      : serializedFrame(message);
    this.#writer.write(this.#receiver, frame);
    this.#written.clear();
    this.#onSent(message);
  }

  /**
   * Takes a frame of the thread.
   *
   * @param at Time at which it came, as `performance.now()` gives it.
   */
  receive(frame: Frame, at: number): void {
    if (this.onmessage === null) return;
    let message: FromThread;
    try {
      if (frame.kind === FrameKind.record) {
        fill(this.#read, frame);
        message = FROM_THREAD.decode(this.#read);
        this.#read.requireEnd();
        this.#read.clear();
      } else message = plainMessage(frame);
    } catch (error) {
      const listener = this.onfault;
      this.close();
      listener?.(`it wrote a message that cannot be read: ${(error as Error).message}`);
      return;
    }
    this.onmessage({ data: message, at });
  }

  close(): void {
    this.onmessage = null;
    this.onfault = null;
  }
}

/**
 * Makes the frame of a message for a thread that is no record, in V8's own form: the process may trust the main thread.
 *
 * @throws {DataCloneError} If no other thread could get the message either.
 */
function serializedFrame(message: ToThread): Frame {
  try {
    return { kind: FrameKind.plain, text: "", bytes: serialize(message) as Uint8Array<ArrayBuffer> };
  } catch (error) {
    structuredClone(message);
    throw error;
  }
}
