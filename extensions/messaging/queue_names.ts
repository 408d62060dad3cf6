/**
 * Names the queues that have no name: in the main thread, once for all threads of a service.
 *
 * The name is made here, and not by the broker (`amq.gen-…`), because it has to outlive the connection: after a
 * reconnect the same queue is declared and bound again, so who has been given the name as a `replyTo` still reaches
 * it. All transports can do that, and a transport declares again by itself what it has declared once. The price: a
 * broker that has not noticed yet that a connection is gone holds the queue, which is consumed again only when the
 * broker gives up that connection. Names are unique, so no other process has to wait for that.
 *
 * Its beginning is one of those that no service may consume by name: services of one process share a connection, for
 * which the queue is not exclusive.
 */
import { ownQueueName } from "../../runtime/hosting/own_queue.ts";
import type { Topology } from "../../runtime/message/transport.ts";
import type { UnnamedQueue } from "./queue.ts";

/** Beginning of the names of queues that have no name of their own. Replies may go to these queues. */
const PREFIX = "enoki.gen-";

/** Makes a name that no queue has. `use` is a part of it, for people who look at the broker. */
export function makeQueueName(use: string): string {
  return ownQueueName(PREFIX, `${use}-${crypto.randomUUID()}`);
}

/** The names of the queues without a name, for the services of one process. */
export class QueueNames {
  readonly #names = new Map<string, string>();

  /** Returns the name of a queue in one service. A newer version of the service has the same queue under the same name. */
  nameOf(service: string, { ordinal, topology }: UnnamedQueue): string {
    const key = JSON.stringify([service, ordinal, topology]);
    let name = this.#names.get(key);
    if (name === undefined) this.#names.set(key, name = makeQueueName(service));
    return name;
  }
}

/** Puts a name in the place of the empty one. */
export function withQueueName(
  { exchanges = [], queues = [], bindings = [] }: Topology,
  name: string,
): Topology {
  return {
    exchanges,
    queues: queues.map((queue) => queue.name === "" ? { ...queue, name } : queue),
    bindings: bindings.map((binding) => binding.queue === "" ? { ...binding, queue: name } : binding),
  };
}
