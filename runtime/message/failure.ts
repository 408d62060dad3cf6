import {
  BrokerError,
  BulkheadFullError,
  CallError,
  CallTimeoutError,
  CircuitOpenError,
  ContainerStoppingError,
  RateLimitedError,
  UnknownServiceError,
  UnroutableError,
  WorkerLostError,
} from "./errors.ts";
import type { Plain } from "./plain.ts";

/** An error in the form that crosses threads and brokers: data, never an instance of a class. */
export interface Failure {
  /** Name of the error's class in the code that threw it. */
  readonly name: string;
  /** What the error says. */
  readonly message: string;
  /** Stable identifier to switch on, such as `"METHOD_NOT_FOUND"` or a code that the service defines. */
  readonly code: string;
  /** Structured detail that the throwing code chose to publish. */
  readonly data?: Plain;
  /** Whether the same call may succeed if the caller repeats it. */
  readonly retryable: boolean;
  /** HTTP status for clients that the error reaches, from 400 to 599. */
  readonly status?: number;
}

/** Whether a value is the HTTP status of an error. */
export function isErrorStatus(value: unknown): value is number {
  return typeof value === "number" && Number.isInteger(value) && value >= 400 && value <= 599;
}

/** Fields that a thrown value may have. The code reads them and never trusts them. */
interface Thrown {
  readonly name?: unknown;
  readonly message?: unknown;
  readonly code?: unknown;
  readonly data?: unknown;
  readonly retryable?: unknown;
  readonly status?: unknown;
}

/** Describes a thrown value of any kind. Leaves out `data` that JSON cannot carry. Never throws. */
export function describeFailure(thrown: unknown): Failure {
  if (typeof thrown !== "object" || thrown === null) return { ...UNREADABLE, message: String(thrown) };
  try {
    return describeObject(thrown);
  } catch {
    return UNREADABLE;
  }
}

/** Description of a thrown value whose own code fails when it is read. */
const UNREADABLE: Failure = {
  name: "Error",
  message: "the thrown value cannot be read",
  code: "ERROR",
  retryable: false,
};

function describeObject(thrown: object): Failure {
  const { message, code, data, retryable, status } = thrown as Thrown;
  const failure = {
    name: classNameOf(thrown),
    message: typeof message === "string" ? message : String(thrown),
    code: typeof code === "string" ? code : "ERROR",
    retryable: retryable === true,
    ...(isErrorStatus(status) && { status }),
  };
  const plain = data === undefined ? undefined : toPlain(data);
  return plain === undefined ? failure : { ...failure, data: plain };
}

/** Most characters of the name of an error: the main thread remembers those of its latest calls. */
export const LONGEST_NAME = 256;

/**
 * Returns the beginning of the `name` that the value or its own class defines, else of the name of its class.
 *
 * A `name` that only a base class defines does not count.
 */
function classNameOf(thrown: object): string {
  const named = Object.hasOwn(thrown, "name") || Object.hasOwn(Object.getPrototypeOf(thrown) ?? {}, "name");
  const { name } = thrown as Thrown;
  const whole = (named && typeof name === "string" && name) || thrown.constructor?.name || "Error";
  return whole.slice(0, LONGEST_NAME);
}

function toPlain(data: unknown): Plain | undefined {
  try {
    const text = JSON.stringify(data);
    return text === undefined ? undefined : JSON.parse(text);
  } catch {
    return undefined;
  }
}

/**
 * Makes the error that a failure describes, as far as the code or the class name tells its class.
 *
 * It is for Enoki's own errors that come from another thread.
 */
export function failureToError({ name, message, code, data, retryable }: Failure): Error {
  switch (code) {
    case "UNKNOWN_SERVICE":
      return new UnknownServiceError(field(data, "service"));
    case "TIMEOUT":
      return new CallTimeoutError(message);
    case "WORKER_LOST":
      return new WorkerLostError(message);
    case "CONTAINER_STOPPING":
      return new ContainerStoppingError(message);
    case "CIRCUIT_OPEN":
      return new CircuitOpenError(message);
    case "BULKHEAD_FULL":
      return new BulkheadFullError(message);
    case "RATE_LIMITED":
      return new RateLimitedError(message);
  }
  if (name === "BrokerError") return new BrokerError(message);
  if (name === "UnroutableError") {
    return new UnroutableError(field(data, "exchange"), field(data, "routingKey"));
  }
  return new CallError(message, { code, retryable, data });
}

function field(data: Failure["data"], key: string): string {
  return String((data as Readonly<Record<string, unknown>> | undefined)?.[key]);
}

/**
 * Describes a failure with its stack as `data`: the author of a module that does not load needs it. A mistake in the
 * configuration needs no stack.
 */
export function failureWithStack(thrown: unknown): Failure {
  const failure = describeFailure(thrown);
  const stack = thrown instanceof Error && failure.name !== "ConfigurationError" ? thrown.stack : undefined;
  return stack === undefined ? failure : { ...failure, data: stack };
}
