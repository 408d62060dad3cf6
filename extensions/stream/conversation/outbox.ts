/** The part of a connection that an {@linkcode Outbox} writes to. */
export interface Sink {
  write(bytes: Uint8Array): Promise<number>;
}

/**
 * The bytes that a peer has not taken yet.
 *
 * The first piece goes to the system at once. What is written while the system works goes out together, with
 * the next step.
 */
export class Outbox {
  readonly #sink: Sink;
  readonly #onProgress: () => void;
  readonly #onBroken: (error: unknown) => void;
  #pieces: Uint8Array[] = [];
  #length = 0;
  #writing = false;
  #ended = false;
  #waiters: { readonly most: number; readonly resolve: () => void }[] = [];

  /**
   * @param onProgress Called whenever the system has taken bytes.
   * @param onBroken Called once, if the system takes none any more.
   */
  constructor(sink: Sink, onProgress: () => void, onBroken: (error: unknown) => void) {
    this.#sink = sink;
    this.#onProgress = onProgress;
    this.#onBroken = onBroken;
  }

  /** Bytes that the system has not taken. */
  get length(): number {
    return this.#length;
  }

  push(bytes: Uint8Array): void {
    if (this.#ended || bytes.length === 0) return;
    this.#length += bytes.length;
    this.#pieces.push(bytes);
    if (!this.#writing) void this.#write();
  }

  /** Resolves when at most `most` bytes are left, or when nothing is written any more. */
  drained(most: number): Promise<void> {
    if (this.#length <= most || this.#ended) return Promise.resolve();
    return new Promise((resolve) => this.#waiters.push({ most, resolve }));
  }

  /** Forgets what is left, and takes nothing more. */
  end(): void {
    this.#ended = true;
    this.#pieces = [];
    this.#length = 0;
    this.#wake();
  }

  async #write(): Promise<void> {
    this.#writing = true;
    try {
      while (this.#pieces.length > 0 && !this.#ended) {
        const bytes = this.#pieces.length === 1 ? this.#pieces[0]! : join(this.#pieces);
        this.#pieces = [];
        for (let at = 0; at < bytes.length && !this.#ended;) {
          const taken = await this.#sink.write(at === 0 ? bytes : bytes.subarray(at));
          at += taken;
          if (this.#ended) break;
          this.#length -= taken;
          this.#onProgress();
          if (this.#waiters.length > 0) this.#wake();
        }
      }
    } catch (error) {
      if (!this.#ended) {
        this.end();
        this.#onBroken(error);
      }
    } finally {
      this.#writing = false;
    }
  }

  #wake(): void {
    const waiting = this.#waiters;
    if (waiting.length === 0) return;
    this.#waiters = [];
    for (const waiter of waiting) {
      if (this.#length <= waiter.most) waiter.resolve();
      else this.#waiters.push(waiter);
    }
  }
}

function join(pieces: readonly Uint8Array[]): Uint8Array {
  const joined = new Uint8Array(pieces.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const piece of pieces) {
    joined.set(piece, at);
    at += piece.length;
  }
  return joined;
}
