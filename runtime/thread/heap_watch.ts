import type { Log } from "../log/log.ts";

/** Milliseconds between two looks at the heap. */
const INTERVAL = 1_000;

/** Part of the heap limit above which a thread is near it, and part below which it is so no longer. */
const NEAR = 0.85;
const FAR = 0.7;

const MEBIBYTE = 1_048_576;

/** Bytes that a thread uses, and those that it may use. */
export interface HeapNumbers {
  readonly used: number;
  readonly limit: number;
}

/** A limit of the heap at which a thread may go on, but another one is to take its place. */
export interface SoftLimit {
  readonly mebibytes: number;
  /** Called once, with the bytes that the thread uses, when these are more. */
  readonly onPassed: (used: number) => void;
}

/**
 * Says in the log, once for each time, that a thread is near its heap limit, at which V8 ends it. Also tells when the
 * thread is above its soft limit.
 */
export class HeapWatch {
  readonly #log: Log;
  readonly #numbers: () => HeapNumbers | undefined;
  #soft: SoftLimit | undefined;
  #lookedAt = -Infinity;
  #near = false;

  /** @param numbers Gives the numbers; undefined while they are not known. */
  constructor(log: Log, numbers: () => HeapNumbers | undefined, soft?: SoftLimit) {
    this.#log = log;
    this.#numbers = numbers;
    this.#soft = soft;
  }

  /**
   * Looks at the heap, unless it has just done so.
   *
   * @param now The present time, as `performance.now()` gives it.
   */
  look(now: number): void {
    if (now - this.#lookedAt < INTERVAL) return;
    const numbers = this.#numbers();
    if (numbers === undefined) return;
    this.#lookedAt = now;
    const { used, limit } = numbers;
    if (this.#soft !== undefined && used >= this.#soft.mebibytes * MEBIBYTE) {
      this.#soft.onPassed(used);
      this.#soft = undefined;
    }
    if (used < limit * FAR) this.#near = false;
    if (this.#near || used < limit * NEAR) return;
    this.#near = true;
    this.#log.warning(
      `This thread uses ${Math.round(used / MEBIBYTE)} MiB of the ${
        Math.round(limit / MEBIBYTE)
      } MiB of memory that ` +
        "it may have for JavaScript, and is ended beyond that. Keep less between calls, or raise heap_limit",
    );
  }
}

/**
 * Makes the source of the numbers. It is loaded with the first look: a thread that soon ends does not need it.
 *
 * @param heapLimit Mebibytes that V8 has as the limit of the old generation. New objects do not count for it.
 * @default {V8's own limit, for which all objects count}
 */
export function heapNumbers(heapLimit: number | undefined): () => HeapNumbers | undefined {
  let v8: typeof import("node:v8") | undefined;
  let loading: Promise<void> | undefined;
  return () => {
    loading ??= import("node:v8").then((module) => void (v8 = module), () => {});
    if (v8 === undefined) return undefined;
    if (heapLimit === undefined) {
      const { used_heap_size: used, heap_size_limit: limit } = v8.getHeapStatistics();
      return { used, limit };
    }
    const old = v8.getHeapSpaceStatistics().filter(({ space_name: name }) => !name.startsWith("new_"));
    const used = old.reduce((sum, space) => sum + space.space_used_size, 0);
    return { used, limit: heapLimit * MEBIBYTE };
  };
}
