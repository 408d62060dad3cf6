/** What the main thread and the process of a service tell each other, beside the messages of threads. */
import { SLOTS } from "../../channel/claims.ts";
import { isRecord } from "../../message/plain.ts";

/** What a process is told at its start, through stdin. */
export interface ProcessOrder {
  /** Path of the Unix socket at which the main thread waits. */
  readonly socket: string;
  /** What the process says first, so that the main thread knows it. */
  readonly token: string;
  /** Permissions of the threads. @default {those of the process} */
  readonly sandbox?: Deno.PermissionOptionsObject;
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

/** Most characters of a report. */
export const LONGEST_REPORT = 65_536;

/**
 * Reads a report, which code of the service may have sent in place of the process.
 *
 * @throws {Error} If it is none.
 */
export function reportIn(text: string): FromProcess {
  const report: unknown = text.length > LONGEST_REPORT ? undefined : JSON.parse(text);
  if (!isReport(report)) throw new TypeError("Cannot read a report: it has another form");
  return report;
}

function isReport(report: unknown): report is FromProcess {
  if (!isRecord(report)) return false;
  const { type, question, slots, id, reason, unstarted, received } = report;
  if (type === "recalled") return Number.isInteger(question) && isSlots(slots);
  return type === "ended" && Number.isInteger(id) && typeof reason === "string" && isSlots(unstarted) &&
    Number.isInteger(received);
}

function isSlots(value: unknown): value is readonly number[] {
  return Array.isArray(value) && value.length <= SLOTS &&
    value.every((slot) => Number.isInteger(slot) && slot >= 0 && slot < SLOTS);
}
