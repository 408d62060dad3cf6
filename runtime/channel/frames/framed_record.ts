import type { RingRecord } from "../ring_record.ts";
import { type Frame, FrameKind } from "./frame_stream.ts";

/** Makes the frame of a record, which has to stay as it is until the frame has been written. */
export function frameOf({ head, text, bytes }: RingRecord): Frame {
  return { kind: FrameKind.record, head, text, bytes };
}

/**
 * Fills a record with the content of a frame.
 *
 * @throws {RangeError} If the frame is that of a record of another shape.
 */
export function fill(record: RingRecord, { head, text, bytes }: Frame): void {
  if (head?.length !== record.head.length) {
    throw new RangeError("Cannot read a record: its head has another length");
  }
  record.head.set(head);
  record.text = text;
  record.bytes = bytes;
  record.rewind();
}
