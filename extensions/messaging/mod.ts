/**
 * The author's half of messaging, with the author's own exchanges and queues. Every thread loads it, and it
 * opens nothing.
 */
export { type Exchange, exchange, type ExchangeOptions } from "./exchange.ts";
export {
  type Queue,
  queue,
  type QueueBinding,
  type QueueOptions,
  type UnnamedQueue,
  type UnnamedQueueOptions,
} from "./queue.ts";
export type { QueueOffset, QueueType } from "./queue_type.ts";
export { queueName } from "./queue_name.ts";
export { consume, type ConsumeOptions } from "./consume.ts";
export { type Publish, publisher, type PublisherOptions } from "./publisher.ts";
export type { PublishOptions } from "./outgoing_message.ts";
export { type Requester, requester, type RequesterCallOptions, type RequesterOptions } from "./requester.ts";
