import { ByteBuffer } from "./byte_buffer.ts";
import type { FrameReader } from "./frame.ts";

/** Passes bytes on as they arrive. What arrives while nobody takes it becomes one piece. */
export class BytesReader implements FrameReader {
  readonly #bytes = new ByteBuffer();

  get waiting(): number {
    return this.#bytes.length;
  }

  push(chunk: Uint8Array): void {
    this.#bytes.append(chunk);
  }

  next(): Uint8Array<ArrayBuffer> | undefined {
    if (this.#bytes.length === 0) return undefined;
    const bytes = this.#bytes.view.slice();
    this.#bytes.drop(bytes.length);
    return bytes;
  }
}
