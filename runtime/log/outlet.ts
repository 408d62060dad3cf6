/** Options of {@linkcode Outlet}. */
export interface OutletOptions {
  /**
   * Writes some of the bytes and returns their number. It throws a `WouldBlock` error if the reader is to
   * take earlier bytes first, and another error if nobody can take them.
   */
  readonly write: (bytes: Uint8Array) => number;
  /** Called with the number of texts that were lost, once texts can be written again. */
  readonly onDropped: (count: number) => void;
  /** Bytes that may wait for the reader. @default {1_048_576} */
  readonly limit?: number;
}

/** Bytes that are written as one. */
interface Piece {
  readonly bytes: Uint8Array;
  /** Texts that the bytes are, or are the rest of. */
  readonly texts: number;
}

/** Milliseconds after which the outlet tries again to write what waits. */
const RETRY_INTERVAL = 50;

/** How many times longer the outlet waits at its end for a reader that goes on than for one that stands still. */
const SLOWEST = 10;

/**
 * Writes texts where people or programs read them, and never throws.
 *
 * Texts that the reader does not take yet wait, up to a limit. A text beyond the limit is dropped, and so is a
 * text that nobody can take: the disk is full, or the reader is gone. The outlet counts them, and says so as
 * soon as a text can be written again. A text that has been written in part is completed, even beyond the
 * limit.
 */
export class Outlet {
  readonly #options: OutletOptions;
  readonly #limit: number;
  #waiting: Piece[] = [];
  #size = 0;
  #dropped = 0;
  #telling = false;
  /** The texts of the present {@linkcode Outlet.together}. */
  #gathered: string[] | undefined;
  #timer: ReturnType<typeof setTimeout> | undefined;

  constructor(options: OutletOptions) {
    this.#options = options;
    this.#limit = options.limit ?? 1_048_576;
  }

  /** Whether texts wait for their reader. */
  get isBehind(): boolean {
    return this.#waiting.length > 0;
  }

  write(text: string): void {
    if (this.#gathered === undefined) this.#write([text]);
    else this.#gathered.push(text);
  }

  /** Writes what `task` writes at its end, in one piece: many small writes cost far more time. */
  together(task: () => void): void {
    if (this.#gathered !== undefined) return task();
    const gathered: string[] = [];
    this.#gathered = gathered;
    try {
      task();
    } finally {
      this.#gathered = undefined;
      if (gathered.length > 0) this.#write(gathered);
    }
  }

  /**
   * Waits until everything is written, or until the reader has taken nothing for `limit` milliseconds. A reader that is
   * slow gets {@linkcode SLOWEST} times as long.
   */
  async settled(limit: number): Promise<void> {
    const end = performance.now() + SLOWEST * limit;
    let left = Infinity;
    let patience = end;
    for (this.#flush(); this.isBehind; this.#flush()) {
      const now = performance.now();
      if (this.#size < left) patience = Math.min(now + limit, end);
      if (now >= patience) break;
      left = this.#size;
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL / 5));
    }
    this.#tell();
  }

  #write(texts: readonly string[]): void {
    this.#flush();
    if (this.isBehind) texts.forEach((text) => this.#queue(pieceOf(text, 1)));
    else this.#send(pieceOf(texts.join(""), texts.length));
    this.#tell();
  }

  #queue(piece: Piece): void {
    if (this.#size + piece.bytes.length > this.#limit) {
      this.#dropped += piece.texts;
      return;
    }
    this.#waiting.push(piece);
    this.#size += piece.bytes.length;
    this.#retry();
  }

  #send(piece: Piece): void {
    const left = this.#pass(piece);
    if (left === undefined) return;
    this.#waiting.unshift(left);
    this.#size += left.bytes.length;
    this.#retry();
  }

  /** Writes what waits, as far as the reader takes it. */
  #flush(): void {
    const waiting = this.#waiting;
    let written = 0;
    while (written < waiting.length) {
      const piece = waiting[written]!;
      const left = this.#pass(piece);
      this.#size -= piece.bytes.length - (left?.bytes.length ?? 0);
      if (left !== undefined) {
        waiting[written] = left;
        break;
      }
      written++;
    }
    if (written > 0) this.#waiting = waiting.slice(written);
    if (this.isBehind) return;
    clearTimeout(this.#timer);
    this.#timer = undefined;
  }

  /** Returns what is to be written later; undefined if nothing is left. */
  #pass({ bytes, texts }: Piece): Piece | undefined {
    let sent = 0;
    try {
      while (sent < bytes.length) sent += this.#options.write(bytes.subarray(sent));
    } catch (error) {
      if (isFull(error)) return { bytes: bytes.subarray(sent), texts };
      this.#dropped += texts;
    }
    return undefined;
  }

  #tell(): void {
    if (this.#dropped === 0 || this.isBehind || this.#telling) return;
    const count = this.#dropped;
    this.#dropped = 0;
    this.#telling = true;
    try {
      this.#options.onDropped(count);
      // Nobody could take the notice either, so what it counts is told later.
      if (this.#dropped > 0) this.#dropped += count - 1;
    } finally {
      this.#telling = false;
    }
  }

  #retry(): void {
    if (this.#timer !== undefined) return;
    this.#timer = setTimeout(() => {
      this.#timer = undefined;
      this.#flush();
      if (this.isBehind) this.#retry();
      else this.#tell();
    }, RETRY_INTERVAL);
    // A reader that stands still does not keep the process alive.
    Deno.unrefTimer(this.#timer);
  }
}

function pieceOf(text: string, texts: number): Piece {
  return { bytes: new TextEncoder().encode(text), texts };
}

/** Says whether a write failed because the reader is to take earlier bytes first. */
function isFull(error: unknown): boolean {
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
  return name === "WouldBlock" || code === "EAGAIN" || code === "EWOULDBLOCK";
}
