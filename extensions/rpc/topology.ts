/**
 * Names and flags of Nameko's RPC objects in the broker (Nameko 2.14).
 *
 * The request queues never have arguments. A reply queue has one: the time after which it expires.
 */
import type { ExchangeDeclaration, Topology } from "../../runtime/message/transport.ts";

/** Milliseconds that an abandoned reply queue stays in the broker. */
const REPLY_QUEUE_EXPIRES = 300_000;

/** The RPC objects of one exchange. */
export interface RpcTopology {
  readonly exchange: string;
  /** Gives the name of the request queue of a service. */
  queueOf(service: string): string;
  /** Gives the objects that a service declares. */
  service(service: string): Topology;
  /** Gives the name of the reply queue of a caller. */
  replyQueueOf(caller: string, id: string): string;
  /** Gives the objects that a caller declares. The exchange routes replies by `id`. */
  caller(caller: string, id: string): Topology;
}

/** Gives the RPC objects of an exchange. */
export function rpcTopology(exchange: string): RpcTopology {
  const exchanges: readonly ExchangeDeclaration[] = [{ name: exchange, type: "topic" }];
  const queueOf = (service: string) => `rpc-${service}`;
  const replyQueueOf = (caller: string, id: string) => `rpc.reply-${caller}-${id}`;
  return {
    exchange,
    queueOf,
    replyQueueOf,
    service: (service) => ({
      exchanges,
      queues: [{ name: queueOf(service) }],
      bindings: [{ queue: queueOf(service), exchange, routingKey: `${service}.*` }],
    }),
    caller: (caller, id) => ({
      exchanges,
      queues: [{
        name: replyQueueOf(caller, id),
        replicated: false,
        arguments: { "x-expires": REPLY_QUEUE_EXPIRES },
      }],
      bindings: [{ queue: replyQueueOf(caller, id), exchange, routingKey: id }],
    }),
  };
}
