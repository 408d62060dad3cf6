import type {
  BindingDeclaration,
  ExchangeDeclaration,
  QueueDeclaration,
  Topology,
} from "@enoki/enoki/hosting";
import { bind, declareExchange } from "./exchange.ts";
import { declareQueue } from "./queue.ts";
import type { Session } from "./session.ts";

/**
 * Remembers what one transport has declared, so that it can be declared again.
 *
 * Queues come before exchanges: declaring an exclusive queue whose owner is gone removes the old queue first, and an
 * auto-delete exchange may go with it.
 */
export class Ledger {
  readonly #exchanges = new Map<string, ExchangeDeclaration>();
  readonly #queues = new Map<string, QueueDeclaration>();
  readonly #bindings = new Map<string, BindingDeclaration>();

  /** Declares a topology, but for what is remembered and does not end by itself. */
  async declare(session: Session, { exchanges = [], queues = [], bindings = [] }: Topology): Promise<void> {
    for (const queue of queues) {
      if (lasts(queue) && same(this.#queues.get(queue.name), queue)) continue;
      await declareQueue(session, queue);
      this.#queues.set(queue.name, queue);
    }
    for (const exchange of exchanges) {
      if (lasts(exchange) && same(this.#exchanges.get(exchange.name), exchange)) continue;
      await declareExchange(session, exchange);
      this.#exchanges.set(exchange.name, exchange);
    }
    for (const binding of bindings) {
      const key = JSON.stringify(binding);
      const ends = [this.#exchanges.get(binding.exchange), this.#queues.get(binding.queue)];
      if (this.#bindings.has(key) && ends.every((end) => end !== undefined && lasts(end))) continue;
      await bind(session, binding);
      this.#bindings.set(key, binding);
    }
  }

  /** Returns what belongs to a queue: itself, its bindings and their exchanges. */
  topologyOf(queue: string): Topology {
    const bindings = [...this.#bindings.values()].filter((binding) => binding.queue === queue);
    const ends = new Set(bindings.map(({ exchange }) => exchange));
    return {
      exchanges: [...this.#exchanges.values()].filter(({ name }) => ends.has(name)),
      queues: [...this.#queues.values()].filter(({ name }) => name === queue),
      bindings,
    };
  }

  /** All exchanges, queues and bindings, each as a topology of its own. */
  *everything(): Iterable<Topology> {
    for (const queue of this.#queues.values()) yield { queues: [queue] };
    for (const exchange of this.#exchanges.values()) yield { exchanges: [exchange] };
    for (const binding of this.#bindings.values()) yield { bindings: [binding] };
  }

  has(queue: string): boolean {
    return this.#queues.has(queue);
  }

  /** Names of the exclusive queues. */
  get exclusive(): readonly string[] {
    return [...this.#queues.values()].filter(({ exclusive }) => exclusive).map(({ name }) => name);
  }

  /** Declares a topology again even if it is remembered. */
  async declareAgain(
    session: Session,
    { exchanges = [], queues = [], bindings = [] }: Topology,
  ): Promise<void> {
    for (const queue of queues) await declareQueue(session, queue);
    for (const exchange of exchanges) await declareExchange(session, exchange);
    for (const binding of bindings) await bind(session, binding);
  }

  forgetQueue(queue: string): void {
    this.#queues.delete(queue);
    for (const [key, binding] of this.#bindings) {
      if (binding.queue === queue) this.#bindings.delete(key);
    }
  }
}

/** Says whether only somebody who deletes it ends it. */
function lasts(declaration: ExchangeDeclaration | QueueDeclaration): boolean {
  const exclusive = "exclusive" in declaration && declaration.exclusive;
  return !declaration.autoDelete && !exclusive && declaration.arguments?.["x-expires"] === undefined;
}

function same(known: unknown, declaration: unknown): boolean {
  return JSON.stringify(known) === JSON.stringify(declaration);
}
