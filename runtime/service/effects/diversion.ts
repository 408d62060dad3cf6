import type { PublishOptions } from "../../message/messenger.ts";
import type { Message } from "../../message/transport.ts";

/** What a handler says about an event or a message, to a dependency that keeps an outbox. */
export interface OutboxOptions {
  /**
   * Messages of one key leave the outbox in the order in which their transactions are committed. Without an outbox, it
   * has no meaning.
   *
   * @default {none}
   */
  readonly key?: string | number | undefined;
  /**
   * Whether it goes through the outbox of the dependency that keeps one. With false, it is sent at once, and stays sent
   * if the handler fails.
   *
   * @default {true}
   */
  readonly outbox?: boolean | undefined;
}

/** Options of {@linkcode DependencyHost.publish}. */
export interface OutgoingOptions extends PublishOptions, OutboxOptions {}

/** Takes a message that a call publishes, in place of the transport. */
export type Diversion = (message: Message, options: OutgoingOptions) => Promise<void>;
