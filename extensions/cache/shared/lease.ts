import { pause } from "../../../runtime/waiting/abort.ts";
import type { CacheStore, Entry, Leases } from "./store.ts";

/** Milliseconds between two looks whether another process has loaded a value. */
const INTERVAL = 25;

/**
 * Waits for the right to load a value, or for the value that another process loads meanwhile.
 *
 * @returns The value; undefined if this process has the right, or if the signal has aborted.
 */
export async function awaitLease(
  store: CacheStore,
  leases: Leases,
  key: string,
  signal: AbortSignal | undefined,
): Promise<Entry | undefined> {
  if (await leases.take(key)) return undefined;
  while (!signal?.aborted) {
    await pause(INTERVAL, signal).catch(() => {});
    const entry = await store.get(key);
    if (entry !== undefined) return entry;
    if (!await leases.take(key)) continue;
    // The other process may have stored the value between the two questions.
    const late = await store.get(key);
    if (late !== undefined) leases.giveUp(key);
    return late;
  }
  return undefined;
}
