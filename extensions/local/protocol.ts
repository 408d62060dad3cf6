import type {
  ConsumeOptions,
  MessageProperties,
  Topology,
  Verdict,
} from "../../runtime/message/transport.ts";

/** Both ends must speak this protocol. A client refuses a host of another version with a message that says so. */
export const PROTOCOL = "enoki-local/2";

/** A client sends these requests to its host. The host answers a request that has an `id`, with the same `id`. */
export type Request =
  | readonly ["hello", protocol: string]
  | readonly ["declare", id: number, topology: Topology]
  | readonly [
    "publish",
    id: number,
    exchange: string,
    routingKey: string,
    properties: MessageProperties,
    mandatory: boolean,
  ]
  | readonly ["consume", id: number, feed: number, queue: string, options: ConsumeOptions]
  | readonly ["prefetch", id: number, feed: number, prefetch: number]
  | readonly ["cancel", id: number, feed: number]
  | readonly ["end", id: number, feed: number]
  | readonly ["count", id: number, queue: string]
  | readonly ["delete", id: number, queue: string]
  | readonly ["farewell", id: number]
  | readonly ["settle", feed: number, tag: number, verdict: Verdict];

/** A host sends these replies to its client. */
export type Reply =
  | readonly ["welcome", protocol: string]
  | readonly ["done", id: number, result?: number]
  | readonly ["unroutable", id: number, exchange: string, routingKey: string]
  | readonly ["refused", id: number, message: string]
  | readonly [
    "delivery",
    feed: number,
    tag: number,
    exchange: string,
    routingKey: string,
    properties: MessageProperties,
    redelivered: boolean,
    offset?: number,
  ];
