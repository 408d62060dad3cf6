/**
 * The services that a shell knows: those that are alive, as far as somebody can tell, and those that it has called.
 */
import { timeLimit, within } from "../../../runtime/waiting/abort.ts";
import type { LiveService } from "../../control/live.ts";

/** A service that is alive, and its RPC methods. */
export type KnownService = Pick<LiveService, "service" | "methods">;

/** Asks which services are alive. */
export type LiveServices = (signal: AbortSignal) => Promise<readonly KnownService[]>;

/** Milliseconds that a completion waits for the first answer. */
const PATIENCE = 1_000;

/** Milliseconds after which an answer is old: a completion uses it and asks again. */
const FRESHNESS = 2_000;

/** Milliseconds that an answer may take. */
const LIMIT = 5_000;

/** What a shell knows of services, for its completion. Disposing it ends the question that it may be asking. */
export class KnownServices implements Disposable {
  readonly #live: LiveServices;
  readonly #called = new Map<string, Set<string>>();
  readonly #closing = new AbortController();
  #answer: readonly KnownService[] | undefined;
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

  /** Asks which services are alive, unless an answer is new or on its way. It does not wait for the answer. */
  refresh(): void {
    if (performance.now() - this.#answeredAt > FRESHNESS) this.#asking ??= this.#ask();
  }

  /** Gives the methods of each known service. Only for the first answer it waits, and not for long. */
  async list(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    this.refresh();
    if (this.#answer === undefined && this.#asking !== undefined) await within(PATIENCE, this.#asking);
    const known = new Map([...this.#called].map(([service, methods]) => [service, new Set(methods)]));
    for (const { service, methods } of this.#answer ?? []) {
      known.set(service, new Set([...methods, ...known.get(service) ?? []]));
    }
    return known;
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #ask(): Promise<void> {
    using limit = timeLimit(LIMIT, this.#closing.signal);
    try {
      this.#answer = await this.#live(limit.signal);
    } catch {
      // What was known stays known.
    } finally {
      this.#answeredAt = performance.now();
      this.#asking = undefined;
    }
  }
}
