import type { PublishOptions } from "../messaging/outgoing_message.ts";
import type { Publish } from "../messaging/publisher.ts";

/** A message that a handler has published. */
export interface PublishedMessage<Payload> {
  /** What the handler has published, before it is encoded. */
  readonly payload: Payload;
  /** The options of this one message. */
  readonly options: PublishOptions;
}

/** A publisher that keeps the messages in place of sending them. */
export type FakePublisher<Payload> = Publish<Payload> & {
  /** The messages, in the order in which they were published. */
  readonly messages: readonly PublishedMessage<Payload>[];
};

/**
 * Makes a publisher for a test, which records the messages.
 *
 * @example
 * ```ts ignore
 * import { fakePublisher, testContext } from "@enoki/enoki/testing";
 * import { deepStrictEqual } from "node:assert/strict";
 *
 * const enqueue = fakePublisher<Task>();
 * await shop.handlers.order(testContext(shop, { enqueue }), task);
 * deepStrictEqual(enqueue.messages, [{ payload: task, options: { priority: 5 } }]);
 * ```
 */
export function fakePublisher<Payload = unknown>(): FakePublisher<Payload> {
  const messages: PublishedMessage<Payload>[] = [];
  const publish: Publish<Payload> = (payload, options = {}) => {
    messages.push({ payload, options });
    return Promise.resolve();
  };
  return Object.assign(publish, { messages });
}
