import type { FieldTable, FieldValue, Message, TransportPublishOptions } from "./transport.ts";
import type { Body } from "./reply.ts";

/** A request to a service. A transport publishes it to an address, and one message answers it. */
export interface Request {
  /** Name of the service. */
  readonly service: string;
  /** The method to call. */
  readonly method: string;
  /** The encoded arguments. */
  readonly body: NonNullable<Body>;
  /** Headers of the message: the call id stack, the deadline and the context data. */
  readonly headers: FieldTable;
  /** The policies of a client through which the main thread sends it. @default {it is sent at once} */
  readonly guard?: RequestGuard;
  /** How the message is sent. @default {as Nameko sends requests} */
  readonly properties?: RequestProperties;
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

/** How a request is sent, where that is not as usual. */
export interface RequestProperties {
  /** How the arguments are encoded. @default {"application/json"} */
  readonly contentType?: string;
  /** How their text is encoded, or `binary`. @default {"utf-8"} */
  readonly contentEncoding?: string;
  /** Milliseconds after which the broker drops the request if nobody has taken it. @default {when nobody waits} */
  readonly expiration?: number;
  /** Priority from 0 to 255. @default {0} */
  readonly priority?: number;
  /** With 2, the broker keeps the request on disk; with 1, it does not. @default {as the caller is configured} */
  readonly deliveryMode?: 1 | 2;
}

/** The body of an answer that is not plain JSON: it is compressed, or of another content type. */
export interface EncodedAnswer {
  /** The bytes as they came. */
  readonly body: Uint8Array<ArrayBuffer>;
  /** How they are encoded; undefined if the answer does not say. */
  readonly contentType: string | undefined;
  /** The header that names the compression. */
  readonly compression: FieldValue | undefined;
}

/** The body of an answer. */
export type RequestAnswer = string | Uint8Array | EncodedAnswer;

/** Options of {@linkcode Messenger.request}. */
export interface RequestOptions {
  /** Milliseconds to wait for the answer. */
  readonly timeout: number;
  /** Aborting ends the wait. Nobody tells the service, because Nameko's protocol has no message for that. */
  readonly signal?: AbortSignal;
}

/** Options of {@linkcode Messenger.publish}. */
export interface PublishOptions {
  /** Aborting ends the wait for the confirmation. */
  readonly signal?: AbortSignal;
  /** See {@linkcode TransportPublishOptions.cancellation}. */
  readonly cancellation?: NonNullable<TransportPublishOptions["cancellation"]>;
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
  request(request: Request, options: RequestOptions): Promise<RequestAnswer>;
  /**
   * Publishes a message. Resolves when the transport has taken responsibility for the message.
   *
   * @throws {UnroutableError} If the message is mandatory and no queue takes it.
   */
  publish(message: Message, options?: PublishOptions): Promise<void>;
}
