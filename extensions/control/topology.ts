/** Names and flags of the exchange and the queues of the control channel. */
import type { Topology } from "../../runtime/message/transport.ts";

/** The exchange that requests go through. Each process that answers has a queue at it. */
export const CONTROL_EXCHANGE = "enoki.control";

const REPLY_PREFIX = "enoki.control.reply-";

/** Milliseconds that a request may wait for a process that is busy. */
export const REQUEST_LIFETIME = 5_000;

/** Returns the name of the queue in which an instance gets requests. */
export function requestQueueOf(instance: string): string {
  return `enoki.control.${instance}`;
}

/** Returns what an instance declares. Its queue goes with its connection. */
export function instanceTopology(instance: string): Topology {
  const name = requestQueueOf(instance);
  return {
    exchanges: [{ name: CONTROL_EXCHANGE, type: "fanout" }],
    queues: [{
      name,
      durable: false,
      exclusive: true,
      autoDelete: true,
      arguments: { "x-message-ttl": REQUEST_LIFETIME },
    }],
    bindings: [{ queue: name, exchange: CONTROL_EXCHANGE, routingKey: "" }],
  };
}

/** Returns the name of the queue in which a client gets answers. */
export function replyQueueOf(client: string): string {
  return `${REPLY_PREFIX}${client}`;
}

/** Returns what a client declares. Its queue goes with its connection. */
export function clientTopology(client: string): Topology {
  return {
    exchanges: [{ name: CONTROL_EXCHANGE, type: "fanout" }],
    queues: [{ name: replyQueueOf(client), durable: false, exclusive: true, autoDelete: true }],
  };
}

/** Says whether a queue is one for answers: nothing is ever sent to another queue, whatever a request says. */
export function isReplyQueue(name: string): boolean {
  return name.startsWith(REPLY_PREFIX) && UUID.test(name.slice(REPLY_PREFIX.length));
}

const UUID = /^[\da-f]{8}(?:-[\da-f]{4}){3}-[\da-f]{12}$/;
