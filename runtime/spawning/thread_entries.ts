/** The entry modules of threads, which nothing imports: whoever packs the runtime has to name them. */
export const THREAD_ENTRIES = {
  /** Of a service's thread. */
  thread: import.meta.resolve("../thread/main.ts"),
  /** Of the web Worker that owns a restricted service's threads. */
  warden: import.meta.resolve("./warden.ts"),
} as const;
