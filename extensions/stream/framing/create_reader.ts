import { BytesReader } from "./bytes_reader.ts";
import type { FrameFormat, FrameReader } from "./frame.ts";
import { LengthReader } from "./length_reader.ts";
import { LineReader } from "./line_reader.ts";

/** Limits for the length of frames. */
export interface FrameLimits {
  /** Bytes that a line may have, without its end. */
  readonly maxLine: number;
  /** Bytes that a frame with a length before it may have. */
  readonly maxFrame: number;
}

/** Makes the reader of one connection. */
export function createReader(
  { framing, encoding, prefix }: FrameFormat,
  { maxLine, maxFrame }: FrameLimits,
): FrameReader {
  switch (framing) {
    case "lines":
      return new LineReader(maxLine, encoding);
    case "length-prefixed":
      return new LengthReader(prefix, maxFrame);
    case "bytes":
      return new BytesReader();
  }
}
