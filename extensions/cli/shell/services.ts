/** The services that a shell knows: those that have answered that they run, and those that it has called. */
import { timeLimit, within } from "../../../runtime/waiting/abort.ts";
import type { LiveService } from "../../control/live.ts";

/** A service that runs, and its RPC methods. */
export type KnownService = Pick<LiveService, "service" | "methods">;

/** Asks which services run. */
export type LiveServices = (signal: AbortSignal) => Promise<readonly KnownService[]>;

/** Milliseconds that a completion waits for the first answer. */
const PATIENCE = 1_000;

/** Milliseconds after which an answer is old: a completion uses it and asks again. */
const FRESHNESS = 2_000;

/** Milliseconds that an answer may take. */
const LIMIT = 5_000;

/**
 * What a shell knows of services, for its completion. A service that has ended stays known.
 *
 * Disposing it ends the question that it may be asking.
 */
export class KnownServices implements Disposable {
  readonly #live: LiveServices;
  readonly #methods = new Map<string, Set<string>>();
  readonly #closing = new AbortController();
  #answeredAt: number | undefined;
  #asking: Promise<void> | undefined;

  constructor(live: LiveServices) {
    this.#live = live;
  }

  /** Remembers methods of a service. */
  remember(service: string, methods: readonly string[]): void {
    const known = this.#methods.get(service) ?? new Set();
    this.#methods.set(service, known);
    for (const method of methods) known.add(method);
  }

  /** Asks which services run, and remembers them. */
  async ask(signal: AbortSignal): Promise<readonly KnownService[]> {
    const services = await this.#live(signal);
    for (const { service, methods } of services) this.remember(service, methods);
    this.#answeredAt = performance.now();
    return services;
  }

  /** Asks which services run, unless an answer is new or on its way. It does not wait for the answer. */
  refresh(): void {
    const age = performance.now() - (this.#answeredAt ?? -Infinity);
    if (age > FRESHNESS) this.#asking ??= this.#refresh();
  }

  /** Gives the methods of each known service. Only for the first answer it waits, and not for long. */
  async list(): Promise<ReadonlyMap<string, ReadonlySet<string>>> {
    this.refresh();
    if (this.#answeredAt === undefined && this.#asking !== undefined) await within(PATIENCE, this.#asking);
    return this.#methods;
  }

  [Symbol.dispose](): void {
    this.#closing.abort();
  }

  async #refresh(): Promise<void> {
    using limit = timeLimit(LIMIT, this.#closing.signal);
    try {
      await this.ask(limit.signal);
    } catch {
      // What was known stays known.
      this.#answeredAt = performance.now();
    } finally {
      this.#asking = undefined;
    }
  }
}
