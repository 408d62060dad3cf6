import { ByteBuffer } from "./byte_buffer.ts";
import { type FrameReader, OversizedFrame } from "./frame.ts";

/**
 * Divides bytes into frames, each of which is preceded by its length.
 *
 * Memory is taken for bytes that have arrived, and never for a length that a peer only claims.
 */
export class LengthReader implements FrameReader {
  readonly #prefix: number;
  readonly #limit: number;
  readonly #bytes = new ByteBuffer();

  /** @param limit Bytes that a frame may have, without its prefix. */
  constructor(prefix: number, limit: number) {
    this.#prefix = prefix;
    this.#limit = limit;
  }

  get waiting(): number {
    return this.#bytes.length;
  }

  push(chunk: Uint8Array): void {
    this.#bytes.append(chunk);
  }

  next(): Uint8Array<ArrayBuffer> | undefined {
    const { view } = this.#bytes;
    if (view.length < this.#prefix) return undefined;
    let length = 0;
    for (let at = 0; at < this.#prefix; at++) length = length * 256 + view[at]!;
    if (length > this.#limit) {
      throw new OversizedFrame(`a frame has ${length} bytes, and the limit is ${this.#limit}`);
    }
    const end = this.#prefix + length;
    if (view.length < end) return undefined;
    const frame = view.slice(this.#prefix, end);
    this.#bytes.drop(end);
    return frame;
  }
}
