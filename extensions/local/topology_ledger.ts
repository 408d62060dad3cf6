import type {
  BindingDeclaration,
  ExchangeDeclaration,
  QueueDeclaration,
  Topology,
} from "../../runtime/message/transport.ts";

/** A ledger remembers, each once, the things that a transport has declared and not deleted. */
export class TopologyLedger {
  readonly #exchanges = new Map<string, ExchangeDeclaration>();
  readonly #queues = new Map<string, QueueDeclaration>();
  readonly #bindings = new Map<string, BindingDeclaration>();

  remember({ exchanges = [], queues = [], bindings = [] }: Topology): void {
    for (const exchange of exchanges) this.#exchanges.set(exchange.name, exchange);
    for (const queue of queues) this.#queues.set(queue.name, queue);
    for (const binding of bindings) {
      const { queue, exchange, routingKey, arguments: table = null } = binding;
      this.#bindings.set(JSON.stringify([queue, exchange, routingKey, table]), binding);
    }
  }

  forgetQueue(name: string): void {
    this.#queues.delete(name);
    for (const [key, { queue }] of this.#bindings) {
      if (queue === name) this.#bindings.delete(key);
    }
  }

  topology(): Topology {
    return {
      exchanges: [...this.#exchanges.values()],
      queues: [...this.#queues.values()],
      bindings: [...this.#bindings.values()],
    };
  }
}
