/**
 * This file lets the log follow frequent events without delaying them.
 *
 * A line about a request costs more time than the server itself needs for a short one. So the record of an event waits
 * until the event loop has had a whole turn, in which a response leaves, for example. Then all records that wait are
 * formatted, and their lines are written at once. A process that is killed loses the lines of the last two turns.
 */
import type { LogRecord } from "./log.ts";
import { emitRecords } from "./observe.ts";

/** Keeps the function that no code of a service in the same thread can replace. */
const { setImmediate } = globalThis;

/** Emits the records of frequent events together, after the turn of the event loop in which they occur. */
export class RecordBatch<Event> {
  readonly #describe: (event: Event) => LogRecord;
  #waiting: Event[] = [];

  /** @param describe Makes the record of an event. Its time must be that of the event. */
  constructor(describe: (event: Event) => LogRecord) {
    this.#describe = describe;
  }

  add(event: Event): void {
    if (this.#waiting.push(event) === 1) setImmediate(this.#letLeave);
  }

  /** Emits the records that wait, before something ends that they could not outlive. */
  readonly flush = (): void => {
    if (this.#waiting.length === 0) return;
    const events = this.#waiting;
    this.#waiting = [];
    emitRecords(events.map(this.#describe));
  };

  readonly #letLeave = (): void => {
    setImmediate(this.flush);
  };
}
