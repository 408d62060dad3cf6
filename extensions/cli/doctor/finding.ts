/**
 * This folder looks at what a service needs before it runs, and says what is wrong.
 *
 * This file has what a check finds, and runs checks.
 */
import { abortable, timeLimit } from "../../../runtime/waiting/abort.ts";
import { reportFailure } from "../view/failure_report.ts";

/** How bad a finding is. With a problem, services do not run, or not as they are configured. */
export type FindingState = "ok" | "warning" | "problem";

/** One thing that a check has found. */
export interface Finding {
  /** What was looked at, such as `broker`. */
  readonly about: string;
  readonly state: FindingState;
  /** A sentence, and the way out unless the state is `ok`. */
  readonly text: string;
}

/** Adds findings. */
export interface Findings {
  ok(text: string): void;
  warn(text: string): void;
  problem(text: string): void;
}

/** Looks at one thing. It may throw: what it throws is a problem. */
export type Check = (found: Findings, signal: AbortSignal) => Promise<void> | void;

/** Milliseconds that a check may take. */
const CHECK_LIMIT = 10_000;

/** Runs a check to its end, or as long as it may take. */
export async function runCheck(
  about: string,
  check: Check,
  limit = CHECK_LIMIT,
): Promise<readonly Finding[]> {
  const findings: Finding[] = [];
  let isOver = false;
  const add = (state: FindingState) => (text: string) => {
    if (!isOver) findings.push({ about, state, text });
  };
  const found: Findings = { ok: add("ok"), warn: add("warning"), problem: add("problem") };
  using time = timeLimit(limit);
  try {
    await abortable(Promise.resolve(check(found, time.signal)), time.signal);
  } catch (error) {
    found.problem(
      time.signal.aborted ? `This check did not end within ${limit / 1_000} s` : firstLineOf(error),
    );
  } finally {
    isOver = true;
  }
  return findings;
}

/** Says in one line what failed. */
export function firstLineOf(error: unknown): string {
  return reportFailure(error).text.split("\n", 1)[0]!;
}
