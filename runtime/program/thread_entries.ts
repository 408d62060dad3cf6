/** The entry modules of threads. No module imports them, so a tool that packs the runtime must name them. */
export const THREAD_ENTRIES = {
  /** Entry module of a service's thread. */
  thread: import.meta.resolve("../thread/main.ts"),
  /** Entry module of the web Worker that owns a restricted service's threads. */
  warden: import.meta.resolve("../spawning/warden.ts"),
} as const;
