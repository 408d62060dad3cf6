/**
 * The flag of V8 that limits what new objects take, to put behind `--v8-flags=`: two halves of 16 MiB for each thread.
 *
 * Without it, each half grows to 32 MiB under load. That is half of what a busy process takes, and makes it no faster.
 * V8 reads the flag only at the start of the process.
 */
export const YOUNG_HEAP_FLAG = "--max-semi-space-size=16";
