/** Why another thread takes the place of a thread: its calls, its age, or the size of its heap. */
export type ThreadRenewal = "calls" | "age" | "memory";

/** All reasons. */
export const THREAD_RENEWALS: readonly ThreadRenewal[] = ["calls", "age", "memory"];
