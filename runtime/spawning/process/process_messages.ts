/** What the main thread and the process of a service tell each other, beside the messages of threads. */

/** What a process is told at its start, through stdin. */
export interface ProcessOrder {
  /** Path of the Unix socket at which the main thread waits. */
  readonly socket: string;
  /** What the process says first, so that the main thread knows it. */
  readonly token: string;
}

/** Number of characters of a token, each of one byte. */
export const TOKEN_LENGTH = 36;

/** An order of the main thread. */
export type ToProcess =
  | { readonly type: "spawn"; readonly id: number; readonly name: string; readonly heapLimit: number }
  | { readonly type: "kill"; readonly id: number }
  /** Asks for calls of a thread that the thread may not have started. */
  | {
    readonly type: "recall";
    readonly id: number;
    readonly question: number;
    readonly slots: readonly number[];
  };

/** A report of the process. */
export type FromProcess =
  | { readonly type: "recalled"; readonly question: number; readonly slots: readonly number[] }
  | ThreadEnd;

/** Tells that a thread has ended. */
export interface ThreadEnd {
  readonly type: "ended";
  readonly id: number;
  readonly reason: string;
  /** Slots of the calls that the thread had not started. */
  readonly unstarted: readonly number[];
  /** Number of calls that have come for the thread. */
  readonly received: number;
}

/** Number of the receiver of orders and reports. Threads have other numbers. */
export const CONTROL = 0;
