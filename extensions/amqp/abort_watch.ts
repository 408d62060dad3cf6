/**
 * Watches many items that share a signal with one listener.
 *
 * A signal searches all of its listeners to remove one. So with a listener for each of two hundred replies on their
 * way, each reply costs as much as all that is encoded for it.
 *
 * The invariant: a signal has a listener exactly as long as an item waits for it. A signal that was made of others lives
 * as long as those if it has a listener, so an idle one would be a leak.
 */
import { PendingMap } from "../../runtime/waiting/pending_map.ts";

interface Watch<Item> {
  readonly items: PendingMap<Item, true>;
  readonly listener: () => void;
}

/** Tells of each item when its signal aborts. */
export class AbortWatch<Item> {
  readonly #onAbort: (item: Item, reason: unknown) => void;
  readonly #watches = new WeakMap<AbortSignal, Watch<Item>>();

  constructor(onAbort: (item: Item, reason: unknown) => void) {
    this.#onAbort = onAbort;
  }

  /** Watches a signal that has not aborted. The returned function ends that. */
  add(item: Item, signal: AbortSignal): () => void {
    const { items, listener } = this.#watchOf(signal);
    items.set(item, true);
    return () => {
      items.delete(item);
      if (items.size > 0) return;
      signal.removeEventListener("abort", listener);
      this.#watches.delete(signal);
    };
  }

  #watchOf(signal: AbortSignal): Watch<Item> {
    let watch = this.#watches.get(signal);
    if (watch === undefined) {
      const items = new PendingMap<Item, true>();
      const listener = () => {
        for (const item of [...items.keys()]) this.#onAbort(item, signal.reason);
      };
      signal.addEventListener("abort", listener, { once: true });
      this.#watches.set(signal, watch = { items, listener });
    }
    return watch;
  }
}
