/** Bounds what a broker can make this process keep and do for what has not arrived completely. */

/** Most bytes of a body: the highest limit that a RabbitMQ can be given (`max_message_size`). */
const MOST_BYTES = 512 * 2 ** 20;

/** Frames that any body may have, and the bytes of a body for each further frame. */
const FREE_FRAMES = 1_000;
const BYTES_PER_FRAME = 1_000;

/** A frame that belongs to a message: the method, the header, or a part of the body. */
interface MessageFrame {
  /** What the frame is. The parts of a body have none. */
  readonly id: number | undefined;
  /** Bytes of the body, in a header. */
  readonly size?: number;
}

/** Part of the class of a channel that {@linkcode limitMessages} changes. */
export interface MessageReader {
  readonly prototype: { acceptMessageFrame(frame: MessageFrame): void; handleConfirm(): void };
}

/**
 * Makes each channel refuse a body that is too long, or that comes in more frames than it needs: the library keeps
 * the frames, of which each takes much more memory than a few bytes.
 *
 * What it refuses ends the connection. The library's own list of confirms is left out, too: the publisher has a
 * better one, and a confirm with a high number would make that list so long that its end takes minutes.
 */
export function limitMessages({ prototype }: MessageReader): void {
  const { acceptMessageFrame } = prototype;
  prototype.handleConfirm = () => {};
  const framesLeft = new WeakMap<object, number>();
  prototype.acceptMessageFrame = function (frame) {
    if (frame.size !== undefined) {
      if (!(frame.size >= 0 && frame.size <= MOST_BYTES)) {
        throw new Error(
          `The broker announced a body of ${frame.size} bytes: at most ${MOST_BYTES} are taken`,
        );
      }
      framesLeft.set(this, FREE_FRAMES + frame.size / BYTES_PER_FRAME);
    } else if (frame.id === undefined) {
      const left = framesLeft.get(this) ?? 0;
      if (left < 0) throw new Error("The broker sent a body in too many frames");
      framesLeft.set(this, left - 1);
    }
    return acceptMessageFrame.call(this, frame);
  };
}
