import type { FieldTable, Message } from "./transport.ts";
import type { Body } from "./reply.ts";

/** A request to a service. A transport publishes it to an address, and one message answers it. */
export interface Request {
  readonly service: string;
  readonly method: string;
  /** The encoded arguments. */
  readonly body: NonNullable<Body>;
  readonly headers: FieldTable;
  /** The policies of a client through which the main thread sends it. @default {it is sent at once} */
  readonly guard?: RequestGuard;
}

/** Names the policies of a client in the main thread. */
export interface RequestGuard {
  /** Key of the client among the dependencies of its service. */
  readonly key: string;
  /** How often the call has been sent, including this time. */
  readonly attempt: number;
  /** The policies that do not count for this call. */
  readonly off: readonly string[];
}

/** Options of {@linkcode Messenger.request}. */
export interface RequestOptions {
  /** Milliseconds to wait for the answer. */
  readonly timeout: number;
  /** Aborting ends the wait. Nobody tells the service, because Nameko's protocol has no message for that. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode Messenger.publish}. */
export interface PublishOptions {
  readonly signal?: AbortSignal;
}

/**
 * The outgoing half of a transport: it sends all requests and messages of a handler.
 *
 * In the main thread, a messenger uses a transport. In a thread, a messenger with the same interface uses the
 * port. So a dependency never knows where it runs.
 */
export interface Messenger {
  /**
   * Sends a request and resolves with the body of its answer.
   *
   * @throws {UnknownServiceError} If nobody serves `service`.
   * @throws {CallTimeoutError} If no answer comes in time.
   */
  request(request: Request, options: RequestOptions): Promise<string | Uint8Array>;
  /**
   * Publishes a message. Resolves when the transport has taken responsibility for the message.
   *
   * @throws {UnroutableError} If the message is mandatory and no queue takes it.
   */
  publish(message: Message, options?: PublishOptions): Promise<void>;
}
