/** Bytes: a smaller piece is copied, because Deno gives each piece a buffer of 64 KiB, even if it is one byte. */
const SMALL = 16_384;

/** Bytes of a buffer that takes small pieces. */
const PACK = 65_536;

/** The pieces of a body, in memory of about their own size, however small they are. */
export class BodyPieces {
  readonly #pieces: Uint8Array[] = [];
  #pack = new Uint8Array(0);
  /** The part of the pack that holds no piece of {@linkcode #pieces} yet. */
  #from = 0;
  #to = 0;
  #size = 0;

  /** Bytes of all pieces. */
  get size(): number {
    return this.#size;
  }

  add(piece: Uint8Array): void {
    this.#size += piece.length;
    if (piece.length >= SMALL) {
      this.#seal();
      this.#pieces.push(piece);
      return;
    }
    if (this.#to + piece.length > this.#pack.length) {
      this.#seal();
      this.#pack = new Uint8Array(PACK);
      this.#from = this.#to = 0;
    }
    this.#pack.set(piece, this.#to);
    this.#to += piece.length;
  }

  join(): Uint8Array<ArrayBuffer> {
    this.#seal();
    const all = new Uint8Array(this.#size);
    let offset = 0;
    for (const piece of this.#pieces) {
      all.set(piece, offset);
      offset += piece.length;
    }
    return all;
  }

  clear(): void {
    this.#pieces.length = 0;
    this.#pack = new Uint8Array(0);
    this.#from = this.#to = this.#size = 0;
  }

  /** Makes a piece of what has been packed since the last one. */
  #seal(): void {
    if (this.#to > this.#from) this.#pieces.push(this.#pack.subarray(this.#from, this.#to));
    this.#from = this.#to;
  }
}
