/** Milliseconds of a window. */
const WINDOW = 1_000;

/** The bytes that records may have in one window. */
const MOST_BYTES = 1_048_576;

/** Size from which on a record is left out. */
export const LARGEST_RECORD = MOST_BYTES;

/** Number of records that a thread may log in a second, unless the configuration says otherwise. */
export const DEFAULT_LOG_LIMIT = 1_000;

/** Says how many records of `source` were left out. */
export function leftOutText(count: number, source: string): string {
  return `Left out ${count.toLocaleString("en")} log records of ${source}: it logs too much in a second. ` +
    "Log less, or raise log_limit";
}

/** Bounds how many records one source may log in a second, and counts what it leaves out. */
export class RecordLimit {
  readonly #onLeftOut: (count: number) => void;
  #most: number;
  #since = -Infinity;
  #records = 0;
  #bytes = 0;
  #leftOut = 0;
  #timer: ReturnType<typeof setTimeout> | undefined;

  /**
   * @param most Records that the source may log in a second.
   * @param onLeftOut Called with the number of records that were left out, at most once in a second.
   */
  constructor(most: number, onLeftOut: (count: number) => void) {
    this.#most = most;
    this.#onLeftOut = onLeftOut;
  }

  /** Changes the number of records that the source may log in a second. */
  set most(most: number) {
    this.#most = most;
  }

  /** Counts a record of about `bytes` bytes. Returns whether the source may log it. */
  admits(bytes: number): boolean {
    const now = performance.now();
    if (now - this.#since >= WINDOW) {
      this.end();
      this.#since = now;
      this.#records = this.#bytes = 0;
    }
    if (this.#records < this.#most && this.#bytes + bytes <= MOST_BYTES) {
      this.#records++;
      this.#bytes += bytes;
      return true;
    }
    if (this.#leftOut++ === 0) {
      this.#timer = setTimeout(() => this.end(), this.#since + WINDOW - now);
      Deno.unrefTimer(this.#timer);
    }
    return false;
  }

  /** Tells what was left out since it was last told. */
  end(): void {
    clearTimeout(this.#timer);
    const count = this.#leftOut;
    this.#leftOut = 0;
    if (count > 0) this.#onLeftOut(count);
  }
}
