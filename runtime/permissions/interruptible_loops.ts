/**
 * The flag of Deno with which every loop can be interrupted.
 *
 * V8 unrolls some loops and loses the check for interrupts in them. A thread that allocates in such a loop
 * exceeds its heap limit, and cannot be ended. V8 reads the flag only at the start of the process.
 */
export const INTERRUPTIBLE_LOOPS_FLAG = "--v8-flags=--no-turboshaft-loop-unrolling";
