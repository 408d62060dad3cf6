import type { RedisServer } from "./settings.ts";

/** What the code that has caught it may do: try again later, or do without Redis. */
const CODE = "REDIS_UNAVAILABLE";

/**
 * Redis cannot be reached, or was lost before it answered.
 *
 * What Redis itself answers, such as `WRONGTYPE`, is another error, of the client library. A command that was sent
 * before the connection was lost may have been run.
 */
export class RedisUnavailableError extends Error {
  static {
    this.prototype.name = "RedisUnavailableError";
  }
  /** Code of this error for callers. */
  readonly code: string = CODE;
  /** Whether the same call may succeed later, which it may. */
  readonly retryable: boolean = true;
}

/** The fields of a failure that tell what has happened. */
interface ConnectionFault {
  readonly code?: unknown;
  readonly errors?: readonly unknown[];
  readonly message?: unknown;
}

/** A thread may not use the network there. Deno's Node layer has it in the text alone. */
const DENIED_NET = /Requires net access|\bEPERM\b/;

/**
 * Says in a few words why a connection could not be made, and what to do.
 */
export function describeConnectionFault(
  fault: unknown,
  server: Pick<RedisServer, "addresses" | "connectTimeout" | "where">,
): string {
  const { where, connectTimeout } = server;
  const { code, errors, message } = fault as ConnectionFault;
  // A host with several addresses fails with one error for each.
  if (errors?.[0] !== undefined && code === undefined) {
    return describeConnectionFault(errors[0], server);
  }
  const text = typeof message === "string" ? message : String(fault);
  if (DENIED_NET.test(text) || code === "EPERM") {
    const places = server.addresses.map(({ host, port }) =>
      `${host.includes(":") ? `[${host}]` : host}:${port}`
    );
    return `the service may not use the network there. Allow it with --allow-net=${places.join(",")}`;
  }
  if (/Requires read access/.test(text)) return text;
  switch (code) {
    case "ECONNREFUSED":
      return `connection refused. Start Redis there, or correct ${where}`;
    case "ENOTFOUND":
    case "EAI_AGAIN":
      return `no such host. Correct ${where}`;
    case "ETIMEDOUT":
      return `no answer within ${connectTimeout / 1_000} s. Check ${where} and the network`;
  }
  if (/^Connection timeout|TimeoutError/i.test(text)) {
    return `no answer within ${connectTimeout / 1_000} s. Check ${where} and the network`;
  }
  if (/^(?:WRONGPASS|NOAUTH|ERR AUTH|ERR invalid password)/i.test(text)) {
    return `it refuses the login (${
      text.split(/[.\n]/, 1)[0]
    }). Correct the user and the password in ${where}`;
  }
  if (/^Unknown RESP type|unknown command .?HELLO/i.test(text)) {
    return `it does not speak version 3 of Redis' protocol, as Redis 6 and later do. Check ${where}`;
  }
  if (
    /certificate|self[- ]signed|unable to (?:get|verify)|handshake|ERR_(?:SSL|TLS)|UnknownIssuer/i.test(text)
  ) {
    return `TLS failed (${text}). Check SSL in ${where}`;
  }
  if (/socket closed|ECONNRESET|EPIPE/i.test(`${text} ${String(code)}`)) {
    return `it closed the connection. Check ${where}: rediss:// is for servers with TLS, redis:// for others`;
  }
  return `${text.split("\n", 1)[0]}. Check ${where}`;
}
