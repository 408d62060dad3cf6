/**
 * The services that a shell knows: those that are alive, as far as somebody can tell, and those that it has called.
 */
import { timeLimit } from "../../../runtime/waiting/abort.ts";

/** A service that is alive, and its RPC methods. */
export interface LiveService {
  readonly service: string;
  readonly methods: readonly string[];
}

/** Asks which services are alive. */
export type LiveServices = (signal: AbortSignal) => Promise<readonly LiveService[]>;

/** Milliseconds that a completion waits for an answer. */
const PATIENCE = 300;

/** Milliseconds for which an answer is new enough to complete names with. */
const FRESHNESS = 2_000;

/** What a shell knows of services, for its completion. */
export class KnownServices {
  readonly #live: LiveServices;
  readonly #called = new Map<string, Set<string>>();
  #answer: readonly LiveService[] = [];
  #answeredAt = -Infinity;
  #asking: Promise<void> | undefined;

  constructor(live: LiveServices) {
    this.#live = live;
  }

  /** Remembers a method that the shell has called. */
  remember(service: string, method: string): void {
    const methods = this.#called.get(service);
    if (methods === undefined) this.#called.set(service, new Set([method]));
    else methods.add(method);
  }

  /** Gives the methods of each known service, and does not wait longer than a user likes to. */
  async list(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    if (performance.now() - this.#answeredAt > FRESHNESS) await (this.#asking ??= this.#ask());
    const known = new Map([...this.#called].map(([service, methods]) => [service, new Set(methods)]));
    for (const { service, methods } of this.#answer) {
      known.set(service, new Set([...methods, ...known.get(service) ?? []]));
    }
    return known;
  }

  async #ask(): Promise<void> {
    using limit = timeLimit(PATIENCE);
    try {
      this.#answer = await this.#live(limit.signal);
      this.#answeredAt = performance.now();
    } catch {
      // What was known stays known.
    } finally {
      this.#asking = undefined;
    }
  }
}
