import type { FieldTable, Message } from "./transport.ts";
import type { Body } from "./reply.ts";

/** A question to a service: published to an address, answered with one message. */
export interface Request {
  readonly service: string;
  readonly method: string;
  /** The encoded arguments. */
  readonly body: NonNullable<Body>;
  readonly headers: FieldTable;
}

/** Options of {@linkcode Messenger.request}. */
export interface RequestOptions {
  /** Milliseconds to wait for the answer. */
  readonly timeout: number;
  /** Aborting ends the wait; the service is not told, because Nameko's protocol has no word for it. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode Messenger.publish}. */
export interface PublishOptions {
  readonly signal?: AbortSignal;
}

/**
 * The outgoing half of a transport: everything that a handler can do to the world.
 *
 * In the main thread it stands on a transport; in a worker thread the same interface speaks over the port, so
 * a dependency never knows where it runs.
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
   * Publishes; resolves when the transport has taken responsibility for the message.
   *
   * @throws {UnroutableError} If the message is mandatory and no queue takes it.
   */
  publish(message: Message, options?: PublishOptions): Promise<void>;
}
