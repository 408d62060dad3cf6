/**
 * The few error classes of Enoki. They are named for what the code that catches them does.
 *
 * Misuse throws built-in classes. If an error comes from another thread or through a broker, compare its
 * `code` and do not use `instanceof`: errors travel as data.
 */

/** Codes that {@linkcode CallError} and its subclasses carry. A remote service may send other codes. */
export type CallErrorCode =
  | "UNKNOWN_SERVICE"
  | "METHOD_NOT_FOUND"
  | "BAD_REQUEST"
  | "MALFORMED_REQUEST"
  | "TIMEOUT"
  | "WORKER_LOST"
  | "CONTAINER_STOPPING"
  | "BAD_RESULT"
  | "CIRCUIT_OPEN"
  | "BULKHEAD_FULL"
  | "RATE_LIMITED"
  | "REMOTE_ERROR";

/** Options of the {@linkcode CallError} constructor. */
export interface CallErrorOptions extends ErrorOptions {
  readonly code: string;
  /** Whether the same call may succeed if the caller repeats it. @default {false} */
  readonly retryable?: boolean;
  /** Structured detail: any value that JSON can carry. */
  readonly data?: unknown;
}

/** A call of a service failed. This is the base class of all errors that a caller may want to tell apart. */
export class CallError extends Error {
  static {
    this.prototype.name = "CallError";
  }
  /** A word for programs that tells the kind of the failure. */
  readonly code: string;
  /** Whether the same call may succeed later. */
  readonly retryable: boolean;
  /** Plain data about the failure; undefined if there is none. */
  readonly data: unknown;

  /** Makes an error with its code. */
  constructor(message: string, { code, retryable = false, data, ...options }: CallErrorOptions) {
    super(message, options);
    this.code = code;
    this.retryable = retryable;
    this.data = data;
  }
}

/** Nobody serves the called service: no queue is bound for it. */
export class UnknownServiceError extends CallError {
  static {
    this.prototype.name = "UnknownServiceError";
  }
  /** Name of the service that nobody serves. */
  readonly service: string;

  /** Makes the error of a service that nobody serves. */
  constructor(service: string) {
    super(`Cannot call service "${service}": nobody serves it. Start it, or check the name`, {
      code: "UNKNOWN_SERVICE",
      retryable: true,
      data: { service },
    });
    this.service = service;
  }
}

/** The service has no RPC method of that name. */
export class MethodNotFoundError extends CallError {
  static {
    this.prototype.name = "MethodNotFoundError";
  }
  /**
   * Makes the error of a method that its service does not have.
   *
   * @param service Name of the service that has no such method, if the name is known.
   * @param nearest Names of its methods that may have been meant.
   */
  constructor(method: string, service?: string, nearest: readonly string[] = []) {
    const owner = service === undefined ? "the service" : `service "${service}"`;
    const hint = nearest.length === 0 ? "" : `. Did you mean ${nearest.join(" or ")}?`;
    super(`Cannot call method "${method}": ${owner} has no such method${hint}`, {
      code: "METHOD_NOT_FOUND",
      data: { method, ...(service !== undefined && { service }), ...(nearest.length > 0 && { nearest }) },
    });
  }
}

/** The request was wrong: its arguments do not fit, its validation failed, or its body makes no sense. */
export class BadRequestError extends CallError {
  static {
    this.prototype.name = "BadRequestError";
  }
  /** Nameko's name for this case on the wire. */
  readonly reason: "IncorrectSignature" | "MalformedRequest";

  /** Makes the error of a request that does not fit. */
  constructor(
    message: string,
    { reason = "IncorrectSignature", data }: {
      readonly reason?: "IncorrectSignature" | "MalformedRequest";
      readonly data?: unknown;
    } = {},
  ) {
    super(message, { code: reason === "MalformedRequest" ? "MALFORMED_REQUEST" : "BAD_REQUEST", data });
    this.reason = reason;
  }
}

/** No answer came in time, or the handler took longer than its entrypoint allows. */
export class CallTimeoutError extends CallError {
  static {
    this.prototype.name = "CallTimeoutError";
  }
  /** Makes the error of a call whose time is up. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, { code: "TIMEOUT", retryable: true, ...options });
  }
}

/** The thread that ran the call died before the call had an outcome. */
export class WorkerLostError extends CallError {
  static {
    this.prototype.name = "WorkerLostError";
  }
  /** Makes the error of a call whose thread has ended. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, { code: "WORKER_LOST", retryable: true, ...options });
  }
}

/** The container is stopping and takes no further calls. */
export class ContainerStoppingError extends CallError {
  static {
    this.prototype.name = "ContainerStoppingError";
  }
  /** Makes the error of a call that comes while its service stops. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, { code: "CONTAINER_STOPPING", retryable: true, ...options });
  }
}

/** The client has not sent the call, because the service has failed before: its circuit is open. */
export class CircuitOpenError extends CallError {
  static {
    this.prototype.name = "CircuitOpenError";
  }
  /** Makes the error of a call that an open circuit has not sent. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, { code: "CIRCUIT_OPEN", retryable: true, ...options });
  }
}

/** The client has not sent the call, because as many calls are under way and wait as its bulkhead lets. */
export class BulkheadFullError extends CallError {
  static {
    this.prototype.name = "BulkheadFullError";
  }
  /** Makes the error of a call that a full bulkhead has not sent. */
  constructor(message: string, options?: ErrorOptions) {
    super(message, { code: "BULKHEAD_FULL", retryable: true, ...options });
  }
}

/** The call has not been sent, or has not been run, because there were more than its rate lets. */
export class RateLimitedError extends CallError {
  static {
    this.prototype.name = "RateLimitedError";
  }
  /** Makes the error of a call above its rate. */
  constructor(message: string, options?: ErrorOptions & { readonly data?: unknown }) {
    super(message, { code: "RATE_LIMITED", retryable: true, ...options });
  }
}

/** Options of the {@linkcode RemoteError} constructor. */
export interface RemoteErrorOptions extends ErrorOptions {
  readonly code?: string;
  readonly retryable?: boolean;
  readonly data?: unknown;
  /** HTTP status of the thrown error. @default {none} */
  readonly status?: number;
  /** What the remote exception was made of. @default {[remoteMessage]} */
  readonly remoteArgs?: readonly unknown[];
}

/**
 * The remote handler threw. This error carries the class name, the message, the data and the status of the
 * thrown error. An HTTP entrypoint whose `expected` names that class answers with that status.
 *
 * Its own message joins the class name and the message, `MyError boom`, as Nameko's `RemoteError` does.
 */
export class RemoteError extends CallError {
  static {
    this.prototype.name = "RemoteError";
  }
  /** Name of the error's class in the other service. */
  readonly remoteName: string;
  /** What the error said there. */
  readonly remoteMessage: string;
  /**
   * What the remote exception was made of: the arguments of a class of Python, in which Nameko makes text of numbers,
   * truth values and `None`. An error of Enoki has its message alone.
   */
  readonly remoteArgs: readonly unknown[];
  /** HTTP status of the thrown error, from 400 to 599; undefined if it had none. */
  readonly status: number | undefined;

  /** Makes the error of a call that has failed in the other service. */
  constructor(
    remoteName: string,
    remoteMessage: string,
    { code = "REMOTE_ERROR", status, remoteArgs = [remoteMessage], ...options }: RemoteErrorOptions = {},
  ) {
    super(`${remoteName} ${remoteMessage}`, { code, ...options });
    this.remoteName = remoteName;
    this.remoteMessage = remoteMessage;
    this.remoteArgs = remoteArgs;
    this.status = status;
  }
}

/** A handler returned a value that cannot be sent: JSON cannot carry it, or the output schema refuses it. */
export class BadResultError extends CallError {
  static {
    this.prototype.name = "BadResultError";
  }
  constructor(message: string, { data, ...options }: ErrorOptions & { readonly data?: unknown } = {}) {
    super(message, { code: "BAD_RESULT", data, ...options });
  }
}

/**
 * What the failure of a broker means for code that may try again.
 *
 * - `unreachable`: nothing answers at the address.
 * - `unready`: something answers, but it does not speak with us yet.
 * - `refused`: the broker refuses us.
 * - `held`: another connection holds what we want. That connection may be gone, and the broker may not
 *   have given it up yet.
 */
export type BrokerErrorState = "unreachable" | "unready" | "refused" | "held";

/** The broker cannot be reached, it refuses us, or it has something else under the name that we use. */
export class BrokerError extends Error {
  static {
    this.prototype.name = "BrokerError";
  }
  /** What the broker is like: whether it can be reached, and what it has refused. */
  readonly state: BrokerErrorState;

  /** Makes the error of something that the broker has not done. */
  constructor(
    message: string,
    { state = "refused", ...options }: ErrorOptions & { readonly state?: BrokerErrorState } = {},
  ) {
    super(message, options);
    this.state = state;
  }
}

/** No queue took a mandatory message. */
export class UnroutableError extends Error {
  static {
    this.prototype.name = "UnroutableError";
  }
  /** The address that no queue was bound to. */
  readonly data: { readonly exchange: string; readonly routingKey: string };

  /** Makes the error of a message that no queue has taken. */
  constructor(exchange: string, routingKey: string) {
    super(
      exchange === ""
        ? `Cannot publish to queue "${routingKey}": there is none. Start what declares it, or check the name`
        : `Cannot publish to exchange "${exchange}": no queue takes routing key "${routingKey}"`,
    );
    this.data = { exchange, routingKey };
  }
}

/** The runtime could not load a service module, or the module exports something that is not a service. */
export class ServiceLoadError extends Error {
  static {
    this.prototype.name = "ServiceLoadError";
  }
  /** Whether the stack is that of an error which the module has thrown, so that its author needs it. */
  readonly isThrownByModule: boolean;

  /**
   * Makes the error, with its own stack or with that of what the module has thrown.
   *
   * @param options.thrownStack The stack of what the module has thrown. @default {it has thrown nothing}
   */
  constructor(message: string, { thrownStack, ...options }: ErrorOptions & { thrownStack?: string } = {}) {
    super(message, options);
    this.isThrownByModule = thrownStack !== undefined;
    if (thrownStack !== undefined) this.stack = thrownStack;
  }
}

/** A configuration file, value or permission is wrong. */
export class ConfigurationError extends Error {
  static {
    this.prototype.name = "ConfigurationError";
  }
}

/** An extension has failed in the main thread. The cause is what its code has thrown. */
export class ExtensionError extends Error {
  static {
    this.prototype.name = "ExtensionError";
  }
}
