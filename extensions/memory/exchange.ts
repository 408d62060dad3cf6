import type { BindingDeclaration, ExchangeDeclaration, FieldTable } from "../../runtime/message/transport.ts";
import { fieldEquals, headersMatch } from "./headers_match.ts";
import type { Queue } from "./queue.ts";
import type { SealedMessage } from "./sealed_message.ts";
import { topicMatches } from "./topic_pattern.ts";

interface Binding {
  readonly queue: Queue;
  readonly arguments: FieldTable;
}

/** An exchange remembers the queues of at most this many routing keys. */
const REMEMBERED_ROUTES = 10_000;

/** An exchange chooses the queues for a message by its bindings. */
export class Exchange {
  readonly declaration: ExchangeDeclaration;
  /** The keys are binding keys. */
  readonly #bindings = new Map<string, Binding[]>();
  /**
   * The exchange remembers the queues of a routing key here, unless it routes by headers. It forgets all of them
   * when a binding comes or goes.
   */
  readonly #routes = new Map<string, readonly Queue[]>();

  constructor(declaration: ExchangeDeclaration) {
    this.declaration = declaration;
  }

  get bound(): boolean {
    return this.#bindings.size > 0;
  }

  bind(queue: Queue, { routingKey, arguments: table = {} }: BindingDeclaration): void {
    const bindings = this.#bindings.get(routingKey) ?? [];
    if (bindings.some((known) => known.queue === queue && fieldEquals(known.arguments, table))) return;
    this.#bindings.set(routingKey, [...bindings, { queue, arguments: table }]);
    this.#routes.clear();
  }

  /** Removes all bindings of a queue, and returns false if the queue had none. */
  unbind(queue: Queue): boolean {
    let found = false;
    for (const [routingKey, bindings] of this.#bindings) {
      const kept = bindings.filter((binding) => binding.queue !== queue);
      if (kept.length === bindings.length) continue;
      found = true;
      if (kept.length === 0) this.#bindings.delete(routingKey);
      else this.#bindings.set(routingKey, kept);
    }
    if (found) this.#routes.clear();
    return found;
  }

  /** Returns the queues that take a message, each of them once. */
  route({ routingKey, properties }: SealedMessage): readonly Queue[] {
    if (this.declaration.type === "headers") return this.#byHeaders(properties.headers ?? {});
    let queues = this.#routes.get(routingKey);
    if (queues === undefined) {
      queues = this.#byRoutingKey(routingKey);
      if (this.#routes.size >= REMEMBERED_ROUTES) this.#routes.clear();
      this.#routes.set(routingKey, queues);
    }
    return queues;
  }

  #byRoutingKey(routingKey: string): readonly Queue[] {
    const { type } = this.declaration;
    const queues = new Set<Queue>();
    if (type === "direct") {
      for (const { queue } of this.#bindings.get(routingKey) ?? []) queues.add(queue);
      return [...queues];
    }
    for (const [pattern, bindings] of this.#bindings) {
      if (type === "topic" && !topicMatches(pattern, routingKey)) continue;
      for (const { queue } of bindings) queues.add(queue);
    }
    return [...queues];
  }

  #byHeaders(headers: FieldTable): readonly Queue[] {
    const queues = new Set<Queue>();
    for (const bindings of this.#bindings.values()) {
      for (const binding of bindings) {
        if (headersMatch(binding.arguments, headers)) queues.add(binding.queue);
      }
    }
    return [...queues];
  }
}
