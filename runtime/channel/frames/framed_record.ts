import type { RingRecord } from "../ring_record.ts";
import { type Frame, FrameKind } from "./frame_stream.ts";

/** Makes the frame of a record: its numbers and the lengths of its fields are the head. */
export function frameOf({ numbers, lengths, text, bytes }: RingRecord): Frame {
  const head = new Uint8Array(numbers.byteLength + lengths.byteLength);
  head.set(bytesOf(numbers));
  head.set(bytesOf(lengths), numbers.byteLength);
  return { kind: FrameKind.record, head, text, bytes };
}

/**
 * Fills a record with the content of a frame.
 *
 * @throws {RangeError} If the frame is that of a record of another shape.
 */
export function fill(record: RingRecord, { head, text, bytes }: Frame): void {
  const { numbers, lengths } = record;
  if (head?.length !== numbers.byteLength + lengths.byteLength) {
    throw new RangeError("Cannot read a record: its head has another length");
  }
  bytesOf(numbers).set(head.subarray(0, numbers.byteLength));
  bytesOf(lengths).set(head.subarray(numbers.byteLength));
  record.text = text;
  record.bytes = bytes;
  record.rewind();
}

function bytesOf({ buffer }: Float64Array | Int32Array): Uint8Array {
  return new Uint8Array(buffer);
}
