import type { Log } from "../../log/log.ts";
import { LogPause } from "../../log/log_pause.ts";

/** Milliseconds by which the main thread may be late without a warning. */
const PATIENCE = 200;

/** Milliseconds after the start in which the main thread loads code, which makes it late. */
const START_TIME = 10_000;

/** Says in the log that the main thread was late, which holds up the calls of all services. */
export class LateMainThread {
  readonly #log: Log;
  readonly #pause: LogPause;

  /** @param now The present time, as `performance.now()` gives it. */
  constructor(log: Log, now: number) {
    this.#log = log;
    this.#pause = new LogPause(now + START_TIME);
  }

  /**
   * Takes a measurement.
   *
   * @param late Milliseconds by which the main thread was late.
   */
  record(late: number, now: number): void {
    if (late <= PATIENCE || !this.#pause.tryBegin(now)) return;
    this.#log.warning(
      `The main thread was late by ${
        Math.round(late)
      } ms, and with it the calls of all services. Usual causes are ` +
        "messages or bodies of many megabytes, the code of an extension, or a machine that has too little processor " +
        "time for its processes",
    );
  }
}
