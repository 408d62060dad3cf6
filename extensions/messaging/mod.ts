/**
 * The author's half of messaging, with the author's own exchanges and queues. Every thread loads it, and it
 * opens nothing.
 */
export { type Exchange, exchange, type ExchangeOptions } from "./exchange.ts";
export { type Queue, queue, type QueueBinding, type QueueOptions } from "./queue.ts";
export type { QueueOffset, QueueType } from "./queue_type.ts";
export { consume, type ConsumeOptions } from "./consume.ts";
export { type Publish, publisher, type PublisherOptions } from "./publisher.ts";
export type { PublishOptions } from "./outgoing_message.ts";
