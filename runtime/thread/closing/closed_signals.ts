/**
 * Keeps a restricted service without the permission to run programs from the signals of its process.
 *
 * It may send none, and listens to none: a listener, even one in a thread, would keep the signal from ending a
 * program that does not listen itself.
 */
import process from "node:process";
import { apply } from "./untouched.ts";

/** Deno's own words, so that this error is explained as Deno's errors are. */
const RUN_DENIED = "Requires run access, run again with the --allow-run flag";

/** Closes the signals. */
export function closeSignals(): void {
  closeSending();
  // `process.on("SIGTERM", …)` calls this function, too. In Node, too, threads get no signals.
  Object.assign(Deno, { addSignalListener: () => {} });
}

/** Denies all signals but 0, which does nothing and only asks whether a process exists. */
function closeSending(): void {
  const { kill } = Deno;
  const { kill: nodeKill } = process;
  const check = (signal: unknown) => {
    if (signal !== 0) throw new Deno.errors.NotCapable(RUN_DENIED);
  };
  Deno.kill = (pid, signal) => (check(signal), kill(pid, signal));
  process.kill = (pid, signal) => (check(signal), apply(nodeKill, process, [pid, signal]) as true);
  // Node has it, and Deno with it, for the sake of `process.kill`.
  const inner = process as unknown as { _kill?(pid: number, signal: number): number };
  const { _kill: innerKill } = inner;
  if (innerKill !== undefined) {
    inner._kill = (pid, signal) => (check(signal), apply(innerKill, process, [pid, signal]) as number);
  }
}
