/** What a supervisor and its processes tell each other. */
import type { ReadyReport } from "../view/ready_report.ts";

/** Environment variable that tells a process of its supervisor. Its value is an order as JSON. */
export const PROCESS_ORDER = "ENOKI_PROCESS_ORDER";

/** What a supervisor tells a process at its start. */
export interface ProcessOrder {
  /** Path of the Unix socket at which the supervisor waits for the process. */
  readonly socket: string;
  /** The number of the process, from 0. */
  readonly index: number;
  /** How many processes there are. */
  readonly processes: number;
  /** Whether no other process serves yet. */
  readonly isFirst: boolean;
  /** Whether it takes over from a process that still serves. */
  readonly takesOver: boolean;
  /** Whether its lines have colors. */
  readonly colors: boolean;
}

/** What a supervisor tells a process later: to stop, to leave its clients to others and then stop, or to stop at once. */
export type ProcessCommand = "stop" | "leave" | "abort";

/** What a process tells its supervisor, once. */
export type ProcessReport = readonly ["ready", ReadyReport];
