/**
 * This file knows the flag of Deno with which every loop can be interrupted.
 *
 * V8 unrolls some loops and loses the check for interrupts in them. A thread that allocates in such a loop
 * exceeds its heap limit, and cannot be ended. V8 reads the flag only at the start of the process: what
 * `setFlagsFromString()` sets later has no effect, not even on threads that start afterwards.
 */
import { commandLine } from "../program/program_config.ts";

const V8_FLAG = "--no-turboshaft-loop-unrolling";

/** The flag of Deno with which every loop can be interrupted. */
export const INTERRUPTIBLE_LOOPS_FLAG = `--v8-flags=${V8_FLAG}`;

/** Says whether every loop of this process can be interrupted; undefined if that cannot be known. */
export function hasInterruptibleLoops(): boolean | undefined {
  // The flag is part of a binary, and a binary shows no flags.
  if (Deno.build.standalone) return undefined;
  const variable = Deno.permissions.querySync({ name: "env", variable: "DENO_V8_FLAGS" });
  if (variable.state === "granted" && Deno.env.get("DENO_V8_FLAGS")?.includes(V8_FLAG)) return true;
  return commandLine()?.some((word) => word.startsWith("--v8-flags=") && word.includes(V8_FLAG));
}
