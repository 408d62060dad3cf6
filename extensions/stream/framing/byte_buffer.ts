/** Memory that an empty buffer keeps at most. */
const KEPT = 4_096;

/**
 * Bytes that wait, in order. Adding and taking them takes linear time altogether: the memory doubles when it is
 * full, and what is left moves to the front only when at least as much has been taken.
 */
export class ByteBuffer {
  #bytes: Uint8Array<ArrayBuffer> = new Uint8Array(0);
  #start = 0;
  #end = 0;

  get length(): number {
    return this.#end - this.#start;
  }

  /** The bytes, until the buffer changes. */
  get view(): Uint8Array<ArrayBuffer> {
    return this.#bytes.subarray(this.#start, this.#end);
  }

  append(chunk: Uint8Array): void {
    const wanted = this.length + chunk.length;
    if (this.#end + chunk.length > this.#bytes.length) {
      if (wanted <= this.#bytes.length && this.length <= this.#start) {
        this.#bytes.copyWithin(0, this.#start, this.#end);
      } else {
        const bytes = new Uint8Array(Math.max(2 * this.length, wanted));
        bytes.set(this.view);
        this.#bytes = bytes;
      }
      this.#end -= this.#start;
      this.#start = 0;
    }
    this.#bytes.set(chunk, this.#end);
    this.#end += chunk.length;
  }

  /** Removes bytes from the front. */
  drop(count: number): void {
    this.#start += count;
    if (this.#start < this.#end) return;
    this.#start = this.#end = 0;
    if (this.#bytes.length > KEPT) this.#bytes = new Uint8Array(0);
  }
}
