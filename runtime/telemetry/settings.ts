import type { Section } from "../config/section.ts";
import { DEFAULT_RECENT_CALLS } from "./recent_calls.ts";

/** What of the calls of a process is kept to be seen. */
export interface TelemetrySettings {
  /** Number of calls that the process remembers for traces and rates. */
  readonly recentCalls: number;
  /** Whether each call is a line of the log, at level debug, when it ends. */
  readonly logsCalls: boolean;
}

/** Most calls that a process may remember. Each takes some 250 bytes. */
const MOST_RECENT_CALLS = 1_000_000;

/**
 * Reads the key `telemetry`, which is false or a section, and `LOG_CALLS`.
 *
 * @returns Undefined if calls have no traces and are not counted.
 * @throws {ConfigurationError} If a value is not what its key takes.
 */
export function telemetrySettings(at: Section): TelemetrySettings | undefined {
  const logsCalls = at.flag("LOG_CALLS") ?? false;
  const value = at.get("telemetry");
  if (value === false) return undefined;
  const own = value === undefined || value === true ? undefined : at.section("telemetry");
  const recentCalls = own?.integer("recent_calls", 1) ?? DEFAULT_RECENT_CALLS;
  if (recentCalls > MOST_RECENT_CALLS) {
    own!.refuse("recent_calls", `an integer of at most ${MOST_RECENT_CALLS}`);
  }
  own?.refuseOthers();
  return { recentCalls, logsCalls };
}
