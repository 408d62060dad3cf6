import type { Log } from "../../log/log.ts";

/** Milliseconds by which the main thread may be late without a warning. */
const PATIENCE = 200;

/** Milliseconds after the start in which the main thread loads code, which makes it late. */
const START_TIME = 10_000;

/** Milliseconds between two warnings. */
const INTERVAL = 60_000;

/** Says in the log that the main thread was late, which holds up the calls of all services. */
export class LateMainThread {
  readonly #log: Log;
  #quietUntil: number;

  /** @param now The present time, as `performance.now()` gives it. */
  constructor(log: Log, now: number) {
    this.#log = log;
    this.#quietUntil = now + START_TIME;
  }

  /**
   * Takes a measurement.
   *
   * @param late Milliseconds by which the main thread was late.
   */
  record(late: number, now: number): void {
    if (late <= PATIENCE || now < this.#quietUntil) return;
    this.#quietUntil = now + INTERVAL;
    this.#log.warning(
      `The main thread was late by ${
        Math.round(late)
      } ms, and with it the calls of all services. Usual causes are ` +
        "messages or bodies of many megabytes, the code of an extension, or a machine that has too little processor " +
        "time for its processes",
    );
  }
}
