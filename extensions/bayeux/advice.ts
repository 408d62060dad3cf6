import { isRecord } from "../../runtime/message/plain.ts";

/** What the client is to do next: connect again, begin with a handshake, or stay away (Bayeux 1.0, section 2.3). */
export type Reconnect = "retry" | "handshake" | "none";

/** How the server wants to be asked. A later advice replaces the fields that it has. */
export interface Advice {
  readonly reconnect: Reconnect;
  /** Milliseconds between two requests for messages. */
  readonly interval: number;
  /** Milliseconds for which the server holds such a request. */
  readonly timeout: number;
}

/** The advice until the server gives one. The time is that of nameko-bayeux-client 1.0. */
export const FIRST_ADVICE: Advice = { reconnect: "retry", interval: 0, timeout: 110_000 };

/** Longest time in milliseconds that an advice can set: an hour. */
const LONGEST = 3_600_000;

/** Applies an advice of the server. What makes no sense in it is left out. */
export function advised(before: Advice, advice: unknown): Advice {
  if (!isRecord(advice)) return before;
  const { reconnect, interval, timeout } = advice;
  return {
    reconnect: isReconnect(reconnect) ? reconnect : before.reconnect,
    interval: isTime(interval) ? Math.min(interval, LONGEST) : before.interval,
    timeout: isTime(timeout) ? Math.min(timeout, LONGEST) : before.timeout,
  };
}

/** Returns the `reconnect` of an advice; undefined if there is none that makes sense. */
export function reconnectOf(advice: unknown): Reconnect | undefined {
  return isRecord(advice) && isReconnect(advice.reconnect) ? advice.reconnect : undefined;
}

function isReconnect(value: unknown): value is Reconnect {
  return value === "retry" || value === "handshake" || value === "none";
}

function isTime(value: unknown): value is number {
  return typeof value === "number" && value >= 0 && Number.isFinite(value);
}
