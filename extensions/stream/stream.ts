import type { Duration } from "../../runtime/waiting/duration.ts";
import type { MethodLimits } from "../../runtime/service/limits/method_limits.ts";
import { describeFailure } from "../../runtime/message/failure.ts";
import type { Reply } from "../../runtime/message/reply.ts";
import { isReply } from "../../runtime/message/reply.ts";
import type { Call } from "../../runtime/service/call.ts";
import type { DependencySpec } from "../../runtime/service/dependency.ts";
import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import { CallConnection } from "./calls/call_connection.ts";
import type { StreamConnection } from "./calls/connection.ts";
import { connectionsOf, type StreamConnections } from "./calls/connections.ts";
import type { StreamLoss } from "./conversation/loss.ts";
import type { StreamEvent } from "./conversation/stream_event.ts";
import type { DataOf, Framing, WritableOf } from "./framing/frame.ts";
import { type StreamFacts, streamFacts, type StreamOptions } from "./stream_options.ts";

/** Options of the handlers of a stream. */
export interface StreamHandlerOptions extends MethodLimits {
  /**
   * Names of error classes that are the peer's fault. The log reports them at info instead of error; the
   * connection ends all the same.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds that a call may run. After that, its signal aborts, the connection ends, and a handler that
   * does not end at once loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: Duration;
}

/** A listening address whose connections are conversations. Each method declares one of their handlers. */
export interface Stream<Kind extends Framing, State> {
  /** Declares the handler of a connection that has just come. */
  connected(
    options?: StreamHandlerOptions,
  ): EntrypointSpec<"stream", [connection: StreamConnection<WritableOf<Kind>, State>]>;
  /** Declares the handler of a line, of bytes, or of a frame. */
  received(
    options?: StreamHandlerOptions,
  ): EntrypointSpec<
    "stream",
    [connection: StreamConnection<WritableOf<Kind>, State>, data: DataOf<Kind>]
  >;
  /**
   * Declares the handler of a connection that has ended, for whatever reason. It is called once for each
   * connection, after all others, and can write no more.
   */
  lost(
    options?: StreamHandlerOptions,
  ): EntrypointSpec<
    "stream",
    [connection: StreamConnection<WritableOf<Kind>, State>, reason: StreamLoss]
  >;
  /** Declares a dependency on all connections of this stream, by which a handler writes to others. */
  connections(): DependencySpec<StreamConnections<WritableOf<Kind>>>;
}

/**
 * Declares that a service talks over connections: TCP, TLS, or a Unix socket.
 *
 * The main thread listens, so the service needs no permission for the network. The calls of one connection run
 * one after another, in the order of its data; those of different connections run in parallel. A handler that
 * fails ends its connection, after what it had written.
 *
 * @throws {TypeError} If an option is not what it has to be.
 * @throws {RangeError} If a limit is out of its range.
 *
 * @example
 * ```ts ignore
 * import { service, stream } from "@enoki/enoki";
 *
 * const echo = stream({ listen: "tcp://0.0.0.0:7007", framing: "lines" });
 *
 * export default service("echo", {
 *   entrypoints: { received: echo.received() },
 *   handlers: { received: (_context, connection, line) => connection.write(line) },
 * });
 * ```
 */
export function stream<
  const Kind extends Framing = "bytes",
  State extends object = Record<string, unknown>,
>(options: StreamOptions<Kind, State>): Stream<Kind, State> {
  const facts = streamFacts(options);
  return {
    connected: (handler) => streamEntrypoint("connected", facts, handler),
    received: (handler) => streamEntrypoint("received", facts, handler),
    lost: (handler) => streamEntrypoint("lost", facts, handler),
    connections: () => connectionsOf(facts.key, facts.format),
  };
}

function streamEntrypoint<Args extends readonly unknown[]>(
  event: StreamEvent,
  { format, options }: StreamFacts,
  { expected, redact, timeout, concurrency, rate, priority }: StreamHandlerOptions = {},
): EntrypointSpec<"stream", Args> {
  return entrypoint({
    kind: "stream",
    options: { ...options, event },
    expected,
    redact,
    timeout,
    concurrency,
    rate,
    priority,
    prepare: ({ messenger }) => {
      const connections = new WeakMap<Call, CallConnection>();
      return {
        decode({ body, message }, call) {
          const connection = new CallConnection(message as string, format, messenger);
          connections.set(call, connection);
          switch (event) {
            case "connected":
              return [connection];
            case "received":
              return [connection, body];
            case "lost":
              return [connection, JSON.parse(body as string)];
          }
        },
        encode: (_result, call) => connections.get(call)!.take(),
        encodeError(thrown, _expected, _payload, call): Reply | undefined {
          const { name, message } = describeFailure(thrown);
          const reply = connections.get(call)?.take(`${name}: ${message}`);
          return isReply(reply) ? reply : undefined;
        },
      };
    },
  });
}
