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

/** Milliseconds after which the outlet tries again to write what waits. */
const RETRY_INTERVAL = 50;

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
  #waiting: Uint8Array[] = [];
  #size = 0;
  #dropped = 0;
  #telling = false;
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
    const bytes = new TextEncoder().encode(text);
    this.#flush();
    if (this.isBehind) this.#queue(bytes);
    else this.#send(bytes);
    this.#tell();
  }

  /** Waits until everything is written, but not longer than `limit` milliseconds. */
  async settled(limit: number): Promise<void> {
    const end = performance.now() + limit;
    for (this.#flush(); this.isBehind && performance.now() < end; this.#flush()) {
      await new Promise((resolve) => setTimeout(resolve, RETRY_INTERVAL / 5));
    }
    this.#tell();
  }

  #queue(bytes: Uint8Array): void {
    if (this.#size + bytes.length > this.#limit) {
      this.#dropped++;
      return;
    }
    this.#waiting.push(bytes);
    this.#size += bytes.length;
    this.#retry();
  }

  #send(bytes: Uint8Array): void {
    const left = this.#pass(bytes);
    if (left === undefined) return;
    this.#waiting.unshift(left);
    this.#size += left.length;
    this.#retry();
  }

  /** Writes what waits, as far as the reader takes it. */
  #flush(): void {
    const waiting = this.#waiting;
    let written = 0;
    while (written < waiting.length) {
      const bytes = waiting[written]!;
      const left = this.#pass(bytes);
      this.#size -= bytes.length - (left?.length ?? 0);
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

  /** Returns the bytes that are to be written later; undefined if none are left. */
  #pass(bytes: Uint8Array): Uint8Array | undefined {
    let sent = 0;
    try {
      while (sent < bytes.length) sent += this.#options.write(bytes.subarray(sent));
    } catch (error) {
      if (isFull(error)) return bytes.subarray(sent);
      this.#dropped++;
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

/** Says whether a write failed because the reader is to take earlier bytes first. */
function isFull(error: unknown): boolean {
  const { name, code } = error as { readonly name?: unknown; readonly code?: unknown };
  return name === "WouldBlock" || code === "EAGAIN" || code === "EWOULDBLOCK";
}
