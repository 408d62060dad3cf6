/**
 * What the author of a service imports. Nothing here opens a socket.
 *
 * @module
 */
export { contract, service } from "./runtime/service/service.ts";
export type { Contract, Service } from "./runtime/service/service.ts";
export { provider } from "./runtime/service/dependency.ts";
export type { CallResult, DependencyHost, DependencySpec, Provider } from "./runtime/service/dependency.ts";
export type { Call, Context } from "./runtime/service/context.ts";
export type { EntrypointSpec, ReceivedMessage } from "./runtime/service/entrypoint.ts";
export type { Log } from "./runtime/log/log.ts";
export type { StandardSchema } from "./runtime/service/standard_schema.ts";
export type { FieldTable, FieldValue } from "./runtime/message/transport.ts";
export {
  BadRequestError,
  BrokerError,
  CallError,
  CallTimeoutError,
  ConfigurationError,
  ContainerStoppingError,
  MethodNotFoundError,
  RemoteError,
  ServiceLoadError,
  UnknownServiceError,
  UnroutableError,
  WorkerLostError,
} from "./runtime/message/errors.ts";
export { client, rpc } from "./extensions/rpc/mod.ts";
export type { CallOptions, Client, ClientMethod, PendingCall, RpcOptions } from "./extensions/rpc/mod.ts";
export { cron, timer } from "./extensions/timer/mod.ts";
export type { CronOptions, TickOptions, TimerOptions } from "./extensions/timer/mod.ts";
export { http } from "./extensions/http/mod.ts";
export type { HttpErrorFacts, HttpOptions } from "./extensions/http/mod.ts";
export {
  ConnectionNotFoundError,
  websocket,
  websocketConnection,
  websocketHub,
} from "./extensions/websocket/mod.ts";
export type { WebSocketConnection, WebSocketHub, WebSocketOptions } from "./extensions/websocket/mod.ts";
export { config } from "./extensions/config/mod.ts";
export { logger } from "./extensions/logger/mod.ts";
export { dispatcher, event } from "./extensions/events/mod.ts";
export type {
  Dispatcher,
  DispatcherOptions,
  DispatchOptions,
  EventDelivery,
  EventOptions,
} from "./extensions/events/mod.ts";
export { consume, exchange, publisher, queue } from "./extensions/messaging/mod.ts";
export type {
  ConsumeOptions,
  Exchange,
  ExchangeOptions,
  Publish,
  PublisherOptions,
  PublishOptions,
  Queue,
  QueueBinding,
  QueueOptions,
} from "./extensions/messaging/mod.ts";
export { Retry } from "./runtime/message/retry.ts";
export type { Backoff, RetryPolicy } from "./runtime/message/retry.ts";
export { rawSerializer, textSerializer } from "./runtime/message/serializer.ts";
export type { Serializer } from "./runtime/message/serializer.ts";
