import { BrokerError, type BrokerErrorState } from "../../runtime/message/errors.ts";
import type { BrokerAddress } from "./uri.ts";

/**
 * Returns the reason of a failure, in the broker's own words if the error has them.
 *
 * @example `NOT_FOUND - no queue 'orders' in vhost '/'`
 */
export function reasonOf(error: unknown): string {
  const text = error instanceof Error ? error.message : String(error);
  const words = text.indexOf(WORDS_BEGIN);
  const start = words + WORDS_BEGIN.length;
  const quoted = words !== -1 && text.endsWith('"') && text.length > start;
  return (quoted ? text.slice(start, -1) : text).replace(/\.$/, "");
}

/** The broker's own words follow this text and end with the error's message. */
const WORDS_BEGIN = 'with message "';

/**
 * Makes a {@linkcode BrokerError} for an action that the broker refused.
 *
 * Its message is `Cannot <action>: <reason>. <way out>`.
 */
export function refusal(action: string, cause: unknown, wayOut?: string): BrokerError {
  if (cause instanceof BrokerError) return cause;
  const reason = reasonOf(cause);
  const message = `Cannot ${action}: ${reason}`;
  return new BrokerError(wayOut === undefined ? message : `${message}. ${wayOut}`, {
    cause,
    state: reason.startsWith("RESOURCE_LOCKED") ? "held" : "refused",
  });
}

const givenUp = new WeakSet<BrokerError>();

/** Notes that what failed with this error is not to be tried again. */
export function giveUp(error: BrokerError): BrokerError {
  givenUp.add(error);
  return error;
}

/** Returns whether what failed with this error is not to be tried again. */
export function isGivenUp(error: unknown): boolean {
  return error instanceof BrokerError && givenUp.has(error);
}

/** Makes a {@linkcode BrokerError} for a connection that could not be opened. */
export function connectionRefusal(
  cause: unknown,
  address: BrokerAddress,
  connectTimeout: number,
): BrokerError {
  if (cause instanceof BrokerError) return cause;
  const text = describe(cause, address, connectTimeout);
  return new BrokerError(text, { cause, state: stateOf(text) });
}

/**
 * Makes the error of a round in which no broker of a list could be used; that of the only broker is itself.
 *
 * While one of them may come back, the list is not refused.
 */
export function roundRefusal(errors: readonly Error[]): Error {
  const [first] = errors;
  if (errors.length === 1) return first!;
  const states = errors.map((error) => error instanceof BrokerError ? error.state : undefined);
  const state = TEMPORARY.find((each) => states.includes(each)) ?? "refused";
  const reasons = errors.map((error) => reasonOf(error)).join("; ");
  return new BrokerError(`Cannot use any of ${errors.length} brokers: ${reasons}`, { cause: first, state });
}

const TEMPORARY: readonly BrokerErrorState[] = ["unreachable", "unready"];

/** What can be done without RabbitMQ: from the command line, and by a program. */
const OTHER_BROKER = "name another broker: with --broker, or with the option broker in a program";

function describe(cause: unknown, address: BrokerAddress, connectTimeout: number): string {
  const { endpoint, host, user, vhost } = address;
  const code = codeOf(cause);
  const text = cause instanceof Error ? cause.message : String(cause);
  switch (code) {
    case "ECONNREFUSED":
      return `Cannot reach broker ${endpoint}: connection refused. Start RabbitMQ, or ${OTHER_BROKER}`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `Cannot reach broker ${endpoint}: host "${host}" is not known. Check the host in its URI`;
    case "ETIMEDOUT":
      return `Cannot reach broker ${endpoint}: no answer within ${connectTimeout} ms. Check host, port and firewall`;
  }
  if (/ETIMEDOUT/.test(text)) {
    return `Cannot reach broker ${endpoint}: no answer within ${connectTimeout} ms. Check host, port and firewall`;
  }
  if (/ACCESS[_-]REFUSED/.test(text)) {
    return `Cannot log in to broker ${endpoint}: user "${user}" was refused. Check user and password in its URI`;
  }
  if (/Expected ConnectionOpenOk/.test(text)) {
    return `Cannot open vhost "${vhost}" at broker ${endpoint}: it does not exist, or user "${user}" may not use it. ` +
      `Check the path of AMQP_URI`;
  }
  if (/SASL mechanism/.test(text)) {
    return `Cannot log in to broker ${endpoint}: it does not offer this login method. Choose PLAIN or enable the method there`;
  }
  if (
    /closed abruptly|Invalid frame|exceeds maxFrameSize|ECONNRESET|EPIPE|wrong version number/.test(
      `${code} ${text}`,
    )
  ) {
    return `Cannot talk to broker ${endpoint}: it ended the connection during the handshake. ` +
      `Check that the port speaks ${address.secure ? "AMQP with TLS (amqps)" : "AMQP without TLS (amqp)"}`;
  }
  if (address.secure) {
    return `Cannot trust broker ${endpoint}: TLS failed (${text}). Check its certificate and the tls options`;
  }
  return `Cannot reach broker ${endpoint}: ${text}. Check its URI`;
}

/**
 * Returns the state by the first words of the text, which name the last step: reaching, speaking or logging
 * in.
 */
function stateOf(text: string): BrokerErrorState {
  if (text.startsWith("Cannot reach")) return "unreachable";
  return text.startsWith("Cannot talk") ? "unready" : "refused";
}

/**
 * Returns the system's error code. If several addresses of a host were tried, it is the code of the last one.
 */
function codeOf(cause: unknown): string | undefined {
  if (cause instanceof AggregateError) return codeOf(cause.errors.at(-1));
  const code = (cause as { readonly code?: unknown } | null)?.code;
  return typeof code === "string" ? code : undefined;
}
