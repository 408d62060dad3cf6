import { BrokerError } from "../../runtime/message/errors.ts";
import type {
  BindingDeclaration,
  ExchangeDeclaration,
  Message,
  QueueDeclaration,
  Topology,
} from "../../runtime/message/transport.ts";
import type { Link } from "./link.ts";
import { type DefaultQueueType, queueRefusal, withDefaultType } from "./queue_type.ts";
import { refusal } from "./refusal.ts";
import { Strikes } from "./strikes.ts";

/** What the broker refused when everything was declared again. */
export interface Troubles {
  /** The errors by the queue that cannot be consumed for this reason. */
  readonly queues: Map<string, unknown>;
  /** The errors by the exchange that no queue is bound to. */
  readonly exchanges: Map<string, unknown>;
}

/** Remembers all declarations in their order, so that the transport can repeat them. */
export class RememberedTopology {
  readonly #exchanges = new Map<string, ExchangeDeclaration>();
  readonly #queues = new Map<string, QueueDeclaration>();
  readonly #bindings = new Map<string, BindingDeclaration>();
  /** The declarations for which the broker has closed a connection. */
  readonly #strikes = new Map<string, Strikes>();
  readonly #queueType: DefaultQueueType;

  /** @param queueType Type of the queues that say nothing about their type. */
  constructor(queueType: DefaultQueueType) {
    this.#queueType = queueType;
  }

  /**
   * Declares a topology and remembers what the broker accepted.
   *
   * It skips a declaration that it remembers, unless the broker may have deleted the thing by itself.
   */
  async declare(link: Link, { exchanges = [], queues = [], bindings = [] }: Topology): Promise<void> {
    for (const exchange of exchanges) {
      const known = this.#known(exchangeKey(exchange.name), this.#exchanges.get(exchange.name));
      if (lasts(exchange) && same(known, exchange)) continue;
      await declareExchange(link, exchange);
      this.#exchanges.set(exchange.name, exchange);
      this.#strikes.delete(exchangeKey(exchange.name));
    }
    for (const queue of queues) {
      const known = this.#known(queueKey(queue.name), this.#queues.get(queue.name));
      if (lasts(queue) && same(known, queue)) continue;
      await declareQueue(link, queue, this.#queueType);
      this.#queues.set(queue.name, queue);
      this.#strikes.delete(queueKey(queue.name));
    }
    for (const binding of bindings) {
      const key = JSON.stringify(binding);
      if (this.#lasts(binding) && this.#bindings.has(key)) continue;
      await declareBinding(link, binding);
      this.#bindings.set(key, binding);
      this.#strikes.delete(key);
    }
  }

  /** Returns what is remembered, unless it is given up. */
  #known<Declaration>(key: string, declaration: Declaration): Declaration | undefined {
    return this.#strikes.get(key)?.verdict === undefined ? declaration : undefined;
  }

  #lasts({ exchange, queue }: BindingDeclaration): boolean {
    const ends = [this.#exchanges.get(exchange), this.#queues.get(queue)];
    return ends.every((end) => end !== undefined && lasts(end));
  }

  /**
   * Declares everything again. What the broker refuses holds up nothing else.
   *
   * @throws {Error} If the link is lost.
   */
  async restore(link: Link): Promise<Troubles> {
    const failed = new Map<string, unknown>();
    const attempt = async (key: string, declare: () => Promise<void>) => {
      try {
        await this.#repeat(link, key, declare);
      } catch (error) {
        if (!link.alive) throw error;
        failed.set(key, error);
      }
    };
    for (const exchange of this.#exchanges.values()) {
      await attempt(exchangeKey(exchange.name), () => declareExchange(link, exchange));
    }
    for (const queue of this.#queues.values()) {
      await attempt(queueKey(queue.name), () => declareQueue(link, queue, this.#queueType));
    }
    const queues = new Map<string, unknown>();
    for (const { name } of this.#queues.values()) {
      const trouble = failed.get(queueKey(name));
      if (trouble !== undefined) queues.set(name, trouble);
    }
    const bound = new Set<string>();
    for (const [key, binding] of this.#bindings) {
      const end = exchangeKey(binding.exchange);
      bound.add(end);
      if (queues.has(binding.queue)) continue;
      if (!failed.has(end)) await attempt(key, () => declareBinding(link, binding));
      const trouble = failed.get(end) ?? failed.get(key);
      if (trouble !== undefined) queues.set(binding.queue, trouble);
    }
    const exchanges = new Map<string, unknown>();
    for (const name of this.#exchanges.keys()) {
      const trouble = failed.get(exchangeKey(name));
      if (trouble !== undefined && !bound.has(exchangeKey(name))) exchanges.set(name, trouble);
    }
    return { queues, exchanges };
  }

  /** Declares one queue again, with its exchanges and its bindings. */
  async restoreQueue(link: Link, name: string): Promise<void> {
    const bindings = [...this.#bindings].filter(([, { queue }]) => queue === name);
    for (const end of new Set(bindings.map(([, { exchange }]) => exchange))) {
      await this.restoreExchange(link, end);
    }
    const queue = this.#queues.get(name);
    if (queue !== undefined) {
      await this.#repeat(link, queueKey(name), () => declareQueue(link, queue, this.#queueType));
    }
    for (const [key, binding] of bindings) {
      await this.#repeat(link, key, () => declareBinding(link, binding));
    }
  }

  /** Declares one exchange again, without its bindings. */
  async restoreExchange(link: Link, name: string): Promise<void> {
    const exchange = this.#exchanges.get(name);
    if (exchange === undefined) return;
    await this.#repeat(link, exchangeKey(name), () => declareExchange(link, exchange));
  }

  /**
   * Returns the queues that were declared here for an exchange and a routing key; undefined if neither the
   * exchange nor such a queue was. A queue that goes by itself counts only while it is consumed here.
   */
  routesOf(
    { exchange, routingKey }: Message,
    isExchangeGone: boolean,
    isConsumed: (queue: string) => boolean,
  ): readonly string[] | undefined {
    const isKept = (name: string) => {
      const queue = this.#queues.get(name);
      return queue !== undefined && (lasts(queue) || isConsumed(name));
    };
    if (exchange === "") return isKept(routingKey) ? [routingKey] : undefined;
    if (isExchangeGone && !this.#exchanges.has(exchange)) return undefined;
    const routes = [...this.#bindings.values()].filter((binding) =>
      binding.exchange === exchange && isKept(binding.queue) &&
      (isExchangeGone || binding.routingKey === routingKey)
    );
    return isExchangeGone || routes.length > 0 ? routes.map(({ queue }) => queue) : undefined;
  }

  /** Makes the bindings of a queue again, and whatever they miss. */
  async refreshBindings(link: Link, name: string): Promise<void> {
    for (const [key, binding] of this.#bindings) {
      if (binding.queue !== name) continue;
      try {
        await this.#repeat(link, key, () => declareBinding(link, binding));
      } catch (error) {
        if (!link.alive || !isMissingThing(error)) throw error;
        return await this.restoreQueue(link, name);
      }
    }
  }

  /** Declares something again, unless that has cost so many connections that it is given up. */
  async #repeat(link: Link, key: string, declare: () => Promise<void>): Promise<void> {
    const verdict = this.#strikes.get(key)?.verdict;
    if (verdict !== undefined) throw verdict;
    try {
      await declare();
      if (this.#strikes.size > 0) this.#strikes.delete(key);
    } catch (error) {
      if (link.refusal === undefined) throw error;
      const strikes = this.#strikes.get(key) ?? new Strikes();
      this.#strikes.set(key, strikes);
      throw strikes.count(link, "declare", error as Error);
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

function isMissingThing(error: unknown): boolean {
  return error instanceof Error && /NOT_FOUND/.test(error.message);
}

function exchangeKey(name: string): string {
  return `exchange ${name}`;
}

function queueKey(name: string): string {
  return `queue ${name}`;
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

async function declareQueue(link: Link, queue: QueueDeclaration, type: DefaultQueueType): Promise<void> {
  const declared = withDefaultType(queue, type);
  const { name, durable = true, exclusive = false, autoDelete = false, arguments: table = {} } = declared;
  await link.administer((channel) =>
    channel.assertQueue(name, { durable, exclusive, autoDelete, arguments: table })
  ).catch((error) => {
    throw queueRefusal(queue, type, error);
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
