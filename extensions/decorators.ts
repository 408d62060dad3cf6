/**
 * Exports the decorators by which a class is a service, for those who come from Nameko.
 *
 * A module that exports such a class serves it. Each call has a new instance. The decorators are those of TC39, which
 * Deno and the bundler know: `experimentalDecorators` must be off.
 *
 * @module
 */
import type { MethodOf } from "../runtime/service/service.ts";
import type { DependencySpec } from "../runtime/service/dependency.ts";
import type { AnyEntrypoint } from "../runtime/service/entrypoint.ts";
import type { InputSchemas, Unstated } from "../runtime/service/method_signature.ts";
import type { StandardSchema } from "../runtime/service/standard_schema.ts";
import { event as eventEntrypoint, type EventOptions } from "./events/mod.ts";
import type { EventPayload, EventType, SourceName } from "./events/event_source.ts";
import { http as httpEntrypoint } from "./http/mod.ts";
import type { HttpMethods, HttpSchemas, MethodsBeforeRule } from "./http/http.ts";
import {
  consume as consumeEntrypoint,
  type ConsumeOptions,
  type Queue,
  type UnnamedQueue,
} from "./messaging/mod.ts";
import { rpc as rpcEntrypoint } from "./rpc/mod.ts";
import type { RpcSchemas } from "./rpc/rpc.ts";
import {
  cron as cronEntrypoint,
  type CronOptions,
  timer as timerEntrypoint,
  type TimerOptions,
} from "./timer/mod.ts";
import { websocket as websocketEntrypoint, type WebSocketOptions } from "./websocket/mod.ts";
import { declareDependency, declareEntrypoint, fieldValue, requireField } from "./class_service.ts";

export type { ServiceOf } from "./class_service.ts";
export type { MethodOf };

/** A decorator of methods that fit the entrypoint. */
export type EntrypointDecorator<Entry> = (
  method: MethodOf<Entry>,
  context: ClassMethodDecoratorContext,
) => void;

/** A decorator of fields that can hold the value. */
export type FieldDecorator<Value> = (
  value: undefined,
  context: ClassFieldDecoratorContext<unknown, Value>,
) => (this: unknown, initial: Value) => Value;

/**
 * Calls the method through an entrypoint of any kind: one of a stream, or one of your own.
 *
 * @example
 * ```ts ignore
 * import { stream, type StreamConnection } from "@enoki/enoki";
 * import { entry } from "@enoki/enoki/decorators";
 *
 * const echo = stream({ listen: "tcp://0.0.0.0:7007", framing: "lines" });
 *
 * export class Echo {
 *   static readonly name = "echo";
 *   @entry(echo.received())
 *   received(connection: StreamConnection, line: string) { connection.write(line); }
 * }
 * ```
 */
export function entry<Entry extends AnyEntrypoint>(entrypoint: Entry): EntrypointDecorator<Entry> {
  return (_method, context) => declareEntrypoint(context, entrypoint);
}

/**
 * Gives the field the value of a dependency, for each call anew, before the constructor runs.
 *
 * An instance that no call has made, such as one in a test, keeps what its author gives it.
 *
 * @example
 * ```ts ignore
 * import { client, type Client } from "@enoki/enoki";
 * import { inject, rpc } from "@enoki/enoki/decorators";
 *
 * export class OrderService {
 *   static readonly name = "orders";
 *
 *   @inject(client<typeof paymentService>("payments"))
 *   payments!: Client<typeof paymentService>;
 *
 *   @rpc
 *   async place(order: Order) {
 *     return (await this.payments.charge(order.total)).paid;
 *   }
 * }
 * ```
 */
export function inject<Value>(dependency: DependencySpec<Value>): FieldDecorator<Value> {
  return (_value, context) => {
    declareDependency(context, dependency);
    return contextField(context);
  };
}

/** Gives the field what the context has under its name: `call`, or what a hook has added. */
export function fromContext<Value>(
  _value: undefined,
  context: ClassFieldDecoratorContext<unknown, Value>,
): (this: unknown, initial: Value) => Value {
  requireField(context);
  return contextField(context);
}

function contextField<Value>(
  { name }: ClassFieldDecoratorContext<unknown, Value>,
): (this: unknown, initial: Value) => Value {
  return function (initial) {
    return fieldValue(this, name as string, initial) as Value;
  };
}

/** Lets other services call the method, without options. */
export function rpc(method: Unstated, context: ClassMethodDecoratorContext): void;
/**
 * Lets other services call the method. A caller gives its arguments by position or by name.
 *
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 */
export function rpc<
  const Input extends InputSchemas | undefined = undefined,
  Output extends StandardSchema | undefined = undefined,
>(
  options?: RpcSchemas<Input, Output>,
): EntrypointDecorator<ReturnType<typeof rpcEntrypoint<Unstated, Input, Output>>>;
export function rpc(given?: object, context?: ClassMethodDecoratorContext): unknown {
  if (typeof given === "function") return declareEntrypoint(context!, rpcEntrypoint());
  return entry<AnyEntrypoint>(rpcEntrypoint(given));
}

/**
 * Handles the events of a type that a service dispatches. `@event<typeof orders, "placed">("orders", "placed")` lets the
 * compiler check both; the method states the type of the payload, such as `EventPayload<typeof orders, "placed">`.
 *
 * @throws {RangeError} If a number among the options is out of its range.
 * @throws {TypeError} If the options contradict each other.
 */
export function event<Source = unknown, const Type extends EventType<Source> = EventType<Source>>(
  source: SourceName<Source>,
  type: Type,
  options?: EventOptions<EventPayload<Source, Type>>,
): EntrypointDecorator<ReturnType<typeof eventEntrypoint<Source, Type>>> {
  return entry(eventEntrypoint<Source, Type>(source, type, options));
}

/**
 * Handles the messages of a queue.
 *
 * @throws {RangeError} If a number among the options is out of its range.
 */
export function consume<Payload = unknown>(
  queue: Queue | UnnamedQueue,
  options?: ConsumeOptions<Payload>,
): EntrypointDecorator<ReturnType<typeof consumeEntrypoint<Payload>>> {
  return entry(consumeEntrypoint<Payload>(queue, options));
}

/**
 * Calls the method every `interval` seconds.
 *
 * @throws {RangeError} If the interval is not a positive number of seconds.
 */
export function timer(options: TimerOptions): EntrypointDecorator<ReturnType<typeof timerEntrypoint>> {
  return entry(timerEntrypoint(options));
}

/**
 * Calls the method at the times of a cron pattern.
 *
 * @throws {TypeError} If the pattern is no text.
 */
export function cron(
  pattern: string,
  options?: CronOptions,
): EntrypointDecorator<ReturnType<typeof cronEntrypoint>> {
  return entry(cronEntrypoint(pattern, options));
}

/**
 * Answers HTTP requests. The method gets the request, and then the variables of the rule.
 *
 * @throws {TypeError} If the method or the rule is not valid.
 */
export function http<
  const Path extends string,
  Params extends StandardSchema | undefined = undefined,
  Query extends StandardSchema | undefined = undefined,
  Body extends StandardSchema | undefined = undefined,
  const Method extends HttpMethods = HttpMethods,
>(
  method: MethodsBeforeRule<Method>,
  rule: Path,
  options?: HttpSchemas<Params, Query, Body>,
): EntrypointDecorator<ReturnType<typeof httpEntrypoint<Path, Params, Query, Body>>> {
  return entry(httpEntrypoint(method, rule, options));
}

/** Lets clients call the method over a WebSocket, without options. */
export function websocket(
  method: (socketId: string, ...args: never[]) => unknown,
  context: ClassMethodDecoratorContext,
): void;
/**
 * Lets clients call the method over a WebSocket. It gets the socket's id, and then the client's arguments.
 *
 * @throws {RangeError} If `timeout` is not a positive number of milliseconds.
 * @throws {TypeError} If `path` is not a path that begins with a slash and has no variables.
 */
export function websocket<
  const Input extends InputSchemas | undefined = undefined,
  Output extends StandardSchema | undefined = undefined,
>(
  options?: WebSocketOptions<Input, Output>,
): EntrypointDecorator<ReturnType<typeof websocketEntrypoint<Unstated, Input, Output>>>;
export function websocket(given?: object, context?: ClassMethodDecoratorContext): unknown {
  if (typeof given === "function") return declareEntrypoint(context!, websocketEntrypoint());
  return entry<AnyEntrypoint>(websocketEntrypoint(given));
}
