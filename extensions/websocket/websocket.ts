import type { Duration } from "../../runtime/waiting/duration.ts";
import type { MethodLimits } from "../../runtime/service/limits/method_limits.ts";
import { entrypoint, type EntrypointSpec } from "../../runtime/service/entrypoint.ts";
import type { Body, Reply } from "../../runtime/message/reply.ts";
import { describeFailure } from "../../runtime/message/failure.ts";
import {
  type CheckedArgs,
  type CheckedResult,
  type InputSchemas,
  methodSignature,
  type UncheckedArgs,
  type UncheckedResult,
  type Unstated,
} from "../../runtime/service/method_signature.ts";
import type { Call } from "../../runtime/service/call.ts";
import type { StandardSchema } from "../../runtime/service/standard_schema.ts";
import { changedState, enterConnection } from "./connection.ts";
import { decodeArguments } from "./wire.ts";

declare const CLIENT: unique symbol;

/**
 * A WebSocket entrypoint.
 *
 * @typeParam ClientCall The call as a client makes it. Types that it does not state come from the handler.
 */
export interface WebSocketSpec<
  Args extends readonly unknown[] = readonly [socketId: string, ...args: never[]],
  Result = unknown,
  ClientCall extends Unstated = Unstated,
> extends EntrypointSpec<"websocket", Args, Result> {
  /**
   * Carries the call of a client for the compiler, and is never there.
   *
   * @internal
   */
  readonly [CLIENT]?: ClientCall;
}

/**
 * The call as a client of this entrypoint makes it.
 *
 * @internal
 */
export type SocketCallOf<Spec> = Spec extends WebSocketSpec<infer _Args, infer _Result, infer ClientCall>
  ? ClientCall
  : never;

/** Options of {@linkcode websocket}. */
export interface WebSocketOptions<
  Input extends InputSchemas | undefined = undefined,
  Output extends StandardSchema | undefined = undefined,
> extends MethodLimits {
  /**
   * Path where clients connect. One connection serves all methods at its path, even methods of different
   * services.
   *
   * @default {"/ws"}
   */
  readonly path?: string;
  /**
   * Names of the handler's parameters after the socket's id.
   *
   * @default {read from the handler's source}
   */
  readonly params?: readonly string[];
  /**
   * Names of error classes that are the client's fault. The log reports them at info instead of error.
   *
   * @default {[]}
   */
  readonly expected?: readonly string[];
  /** Names of arguments that logs show as `********`. @default {[]} */
  readonly redact?: readonly string[];
  /**
   * Milliseconds that a call may run. After that, the client gets an error, the call's signal aborts, and a
   * handler that does not end at once loses its thread.
   *
   * @default {no limit}
   */
  readonly timeout?: Duration;
  /** Checks the arguments after the socket's id. Arguments that do not pass never reach the handler. */
  readonly input?: Input;
  /** Checks the result. If the result does not pass, the client gets an error. */
  readonly output?: Output;
}

const DEFAULT_PATH = "/ws";

/**
 * Declares that a method can be called over a WebSocket: Nameko's `rpc` of `nameko.web.websocket`.
 *
 * The handler receives the socket's id, and then the arguments that the client gives by name. The requests of
 * one socket run strictly one after another. Requests of different sockets run in parallel. When the client
 * leaves, the call's signal aborts.
 *
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 * @throws {TypeError} If `path` is not a path that begins with a slash and has no variables.
 *
 * @example
 * ```ts
 * import { service, websocket, websocketHub } from "@enoki/enoki";
 *
 * export default service("chat", {
 *   dependencies: { hub: websocketHub<{ said: string }>() },
 *   entrypoints: { join: websocket(), say: websocket() },
 *   handlers: {
 *     join: ({ hub }, socketId, room: string) => hub.subscribe(socketId, room),
 *     say: ({ hub }, _socketId, room: string, text: string) => hub.broadcast(room, "said", text),
 *   },
 * });
 * ```
 */
export function websocket<
  Signature extends Unstated = Unstated,
  const Input extends InputSchemas | undefined = undefined,
  Output extends StandardSchema | undefined = undefined,
>(
  { path = DEFAULT_PATH, params, expected, redact, timeout, input, output, concurrency, rate, priority }:
    WebSocketOptions<Input, Output> = {},
): WebSocketSpec<
  [socketId: string, ...args: CheckedArgs<Input, Parameters<Signature>>],
  UncheckedResult<Output, ReturnType<Signature>>,
  (...args: UncheckedArgs<Input, Parameters<Signature>>) => CheckedResult<Output, ReturnType<Signature>>
> {
  if (!PATH_REGEXP.test(path)) {
    throw new TypeError(
      `Cannot declare a WebSocket entrypoint at "${path}": a path begins with a slash and has no variables`,
    );
  }
  return entrypoint({
    kind: "websocket",
    options: { path },
    expected,
    redact,
    timeout,
    concurrency,
    rate,
    priority,
    overLimit: "refuse",
    bindsByName: true,
    prepare: (facts) => {
      const signature = methodSignature(facts, { params, input, output }, 1);
      return {
        decode(payload, call) {
          const socketId = enterConnection(payload, call);
          const { args, data } = decodeArguments(facts.method, payload.body as string);
          const bound = signature.bind(args, data);
          return bound instanceof Promise
            ? bound.then((checked) => [socketId, ...checked])
            : [socketId, ...bound];
        },
        encode(result, call) {
          const body = signature.encode(result);
          return typeof body === "string" ? reply(body, call) : body.then((text) => reply(text, call));
        },
        encodeError(thrown, _expected, _payload, call) {
          const state = changedState(call);
          if (state === undefined) return undefined;
          return { head: { state, failure: { ...describeFailure(thrown) } }, body: undefined };
        },
      };
    },
  });
}

const PATH_REGEXP = /^\/[^\s?#<>{}*:]*$/;

function reply(body: string, call: Call): Body | Reply {
  const state = changedState(call);
  return state === undefined ? body : { head: { state }, body };
}
