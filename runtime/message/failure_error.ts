import {
  BrokerError,
  CallError,
  CallTimeoutError,
  ContainerStoppingError,
  UnknownServiceError,
  UnroutableError,
  WorkerLostError,
} from "./errors.ts";
import type { Failure } from "./outcome.ts";

/** The error that a failure was, as far as its code or class name tells: for errors of our own in another thread. */
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
