import { BrokerError } from "../../runtime/message/errors.ts";
import type {
  BindingDeclaration,
  ExchangeDeclaration,
  QueueDeclaration,
  Topology,
} from "../../runtime/message/transport.ts";
import type { Link } from "./link.ts";
import { refusal } from "./refusal.ts";

/** Remembers all declarations in their order, so that the transport can repeat them. */
export class RememberedTopology {
  readonly #exchanges = new Map<string, ExchangeDeclaration>();
  readonly #queues = new Map<string, QueueDeclaration>();
  readonly #bindings = new Map<string, BindingDeclaration>();

  /**
   * Declares a topology and remembers what the broker accepted.
   *
   * It skips a declaration that it remembers, unless the broker may have deleted the thing by itself.
   */
  async declare(link: Link, { exchanges = [], queues = [], bindings = [] }: Topology): Promise<void> {
    for (const exchange of exchanges) {
      if (lasts(exchange) && same(this.#exchanges.get(exchange.name), exchange)) continue;
      await declareExchange(link, exchange);
      this.#exchanges.set(exchange.name, exchange);
    }
    for (const queue of queues) {
      if (lasts(queue) && same(this.#queues.get(queue.name), queue)) continue;
      await declareQueue(link, queue);
      this.#queues.set(queue.name, queue);
    }
    for (const binding of bindings) {
      const key = JSON.stringify(binding);
      if (this.#lasts(binding) && this.#bindings.has(key)) continue;
      await declareBinding(link, binding);
      this.#bindings.set(key, binding);
    }
  }

  #lasts({ exchange, queue }: BindingDeclaration): boolean {
    const ends = [this.#exchanges.get(exchange), this.#queues.get(queue)];
    return ends.every((end) => end !== undefined && lasts(end));
  }

  /**
   * Declares everything again, except for the exclusive queues that another connection holds.
   *
   * @returns The names of these queues.
   */
  async restore(link: Link): Promise<ReadonlySet<string>> {
    for (const exchange of this.#exchanges.values()) await declareExchange(link, exchange);
    const held = new Set<string>();
    for (const queue of this.#queues.values()) {
      try {
        await declareQueue(link, queue);
      } catch (error) {
        if (!queue.exclusive || !isHeld(error)) throw error;
        held.add(queue.name);
      }
    }
    for (const binding of this.#bindings.values()) {
      if (!held.has(binding.queue)) await declareBinding(link, binding);
    }
    return held;
  }

  /** Declares one queue again, with its bindings. */
  async restoreQueue(link: Link, name: string): Promise<void> {
    const queue = this.#queues.get(name);
    if (queue !== undefined) await declareQueue(link, queue);
    for (const binding of this.#bindings.values()) {
      if (binding.queue === name) await declareBinding(link, binding);
    }
  }

  /** Forgets a queue and its bindings. */
  forgetQueue(name: string): void {
    this.#queues.delete(name);
    for (const [key, binding] of this.#bindings) {
      if (binding.queue === name) this.#bindings.delete(key);
    }
  }
}

/** Returns whether an error says that another connection holds the queue. */
export function isHeld(error: unknown): boolean {
  return error instanceof BrokerError && error.state === "held";
}

/**
 * Returns whether the broker keeps an exchange or a queue until somebody deletes it, so that nobody needs to
 * declare it again.
 */
function lasts(declaration: ExchangeDeclaration | QueueDeclaration): boolean {
  return !declaration.autoDelete && declaration.arguments?.["x-expires"] === undefined;
}

function same(known: unknown, declaration: unknown): boolean {
  return known !== undefined && JSON.stringify(known) === JSON.stringify(declaration);
}

async function declareExchange(link: Link, exchange: ExchangeDeclaration): Promise<void> {
  const { name, type, durable = true, autoDelete = false, arguments: table = {} } = exchange;
  await link.administer((channel) =>
    channel.assertExchange(name, type, { durable, autoDelete, arguments: table })
  ).catch((error) => {
    throw refusal(
      `declare exchange "${name}"`,
      error,
      "Use the same properties everywhere, or delete it first",
    );
  });
}

async function declareQueue(link: Link, queue: QueueDeclaration): Promise<void> {
  const { name, durable = true, exclusive = false, autoDelete = false, arguments: table = {} } = queue;
  await link.administer((channel) =>
    channel.assertQueue(name, { durable, exclusive, autoDelete, arguments: table })
  ).catch((error) => {
    throw refusal(`declare queue "${name}"`, error, "Use the same properties everywhere, or delete it first");
  });
}

async function declareBinding(link: Link, binding: BindingDeclaration): Promise<void> {
  const { queue, exchange, routingKey, arguments: table = {} } = binding;
  await link.administer((channel) => channel.bindQueue(queue, exchange, routingKey, table)).catch((error) => {
    throw refusal(
      `bind queue "${queue}" to exchange "${exchange}"`,
      error,
      "Declare the queue and the exchange first",
    );
  });
}
