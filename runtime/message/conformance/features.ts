/** A feature that a transport may lack. */
export type TransportFeature =
  /** Exchanges of type `headers`. */
  | "headers exchanges"
  /** Bindings to a topic exchange with `*` and `#` in their pattern. */
  | "topic patterns"
  /** Queues that only one connection may use. Nothing of Enoki's own declares such a queue. */
  | "exclusive queues"
  /** Consumers that allow no other on their queue, with which timers elect one instance. */
  | "exclusive consumers"
  /** Queues that go with their last consumer, which broadcast events use. */
  | "auto-delete queues"
  /** Queues that go when nobody uses them, by `x-expires`. */
  | "queue expiry"
  /** Messages that expire, by `x-message-ttl` or `expiration`. Delayed retries need it. */
  | "message expiry"
  /** Queues with `x-max-length`. */
  | "length limits"
  /** Queues with `x-max-priority`. */
  | "priorities"
  /** Queues with `x-dead-letter-exchange`. Delayed retries need it. */
  | "dead-letter exchanges"
  /** Bodies of 3 MiB. Nothing of Enoki's own sends such a body unless a caller passes one. */
  | "large bodies"
  /** A message that is requeued goes back to its place instead of to the end. */
  | "requeueing in place";
