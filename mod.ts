/**
 * Exports everything that the author of a service imports. Nothing here opens a socket.
 *
 * @module
 */
export { contract, service } from "./runtime/service/service.ts";
export type { Context, Contract, Injected, Service, ServiceDefinition } from "./runtime/service/service.ts";
export {
  type AnyHook,
  type Hook,
  type HookedCall,
  type Outgoing,
  type OutgoingHook,
  sendThrough,
} from "./runtime/service/hook.ts";
export { dependency, provider } from "./runtime/service/dependency.ts";
export type {
  AskOptions,
  CallResult,
  DependencyHost,
  DependencySpec,
  DependencyTable,
  Provider,
  UsingProvider,
} from "./runtime/service/dependency.ts";
export type { Diversion, OutboxOptions, OutgoingOptions } from "./runtime/service/effects/diversion.ts";
export type { Once, OnceOptions } from "./runtime/service/effects/once.ts";
export type { Call, CallRequest } from "./runtime/service/call.ts";
export type { Duration } from "./runtime/waiting/duration.ts";
export { entrypoint } from "./runtime/service/entrypoint.ts";
export type {
  AnyEntrypoint,
  Conversion,
  DescribedHandler,
  EntrypointDefinition,
  EntrypointSpec,
  EntrypointTable,
  HandlerFacts,
  OncePolicy,
  Payload,
  ReceivedMessage,
} from "./runtime/service/entrypoint.ts";
export type { InputSchemas, KeywordParameters, Unstated } from "./runtime/service/method_signature.ts";
export type { Json, JsonResult } from "./runtime/service/json.ts";
export { payloadConversion, type PayloadOptions } from "./runtime/service/payload_conversion.ts";
export type { Keyword, Parameter } from "./runtime/service/declared/parameters.ts";
export type { Log, LogMethod } from "./runtime/log/log.ts";
export type { LogFields } from "./runtime/log/log_fields.ts";
export type {
  SchemaIssue,
  SchemaOutput,
  SchemaResult,
  StandardSchema,
} from "./runtime/service/standard_schema.ts";
export type {
  EncodedAnswer,
  Messenger,
  PublishOptions as MessengerPublishOptions,
  Request,
  RequestAnswer,
  RequestGuard,
  RequestOptions,
  RequestProperties,
} from "./runtime/message/messenger.ts";
export type { Compression } from "./runtime/message/payload/compression.ts";
export type { Payloads } from "./runtime/message/payload/payloads.ts";
export type { Clock, TimerName } from "./runtime/waiting/clock.ts";
export type { MethodLimits, MethodPriority, OverLimit } from "./runtime/service/limits/method_limits.ts";
export type { Rate } from "./runtime/service/limits/rate.ts";
export type { Plain, PlainRecord } from "./runtime/message/plain.ts";
export type { Body, Chunk, Reply } from "./runtime/message/reply.ts";
export type { FieldTable, FieldValue, Message, MessageProperties } from "./runtime/message/transport.ts";
export {
  BadRequestError,
  BrokerError,
  type BrokerErrorState,
  BulkheadFullError,
  CallError,
  CallTimeoutError,
  CircuitOpenError,
  ConfigurationError,
  ContainerStoppingError,
  ExtensionError,
  MethodNotFoundError,
  RateLimitedError,
  RemoteError,
  ServiceLoadError,
  UnknownServiceError,
  UnroutableError,
  WorkerLostError,
} from "./runtime/message/errors.ts";
export {
  type BulkheadPolicy,
  type CallOptions,
  type CallRetry,
  type CircuitPolicy,
  type Client,
  client,
  type ClientMethod,
  type ClientPolicies,
  type ErrorClass,
  type FailedCall,
  type Fallback,
  type MethodPolicies,
  type PendingCall,
  rpc,
  type RpcOptions,
  type RpcSchemas,
  type RpcSpec,
  type SendingOptions,
  type SingleCallOptions,
  type SingleCallPolicies,
} from "./extensions/rpc/mod.ts";
export {
  cron,
  type CronOptions,
  type CronSpec,
  type TickOptions,
  timer,
  type TimerOptions,
  type TimerSpec,
} from "./extensions/timer/mod.ts";
export {
  http,
  type HttpErrorFacts,
  type HttpMethods,
  type HttpOptions,
  type HttpSchemas,
  type HttpSpec,
  type RuleParams,
} from "./extensions/http/mod.ts";
export {
  ConnectionNotFoundError,
  websocket,
  type WebSocketConnection,
  websocketConnection,
  type WebSocketHub,
  websocketHub,
  type WebSocketOptions,
  type WebSocketSpec,
} from "./extensions/websocket/mod.ts";
export {
  ConnectionLostError,
  type FrameFormat,
  type Framing,
  type Stream,
  stream,
  type StreamConnection,
  type StreamConnections,
  type StreamData,
  type StreamEncoding,
  type StreamHandlerOptions,
  type StreamLimitOptions,
  type StreamLimits,
  type StreamListen,
  type StreamLoss,
  type StreamLossCode,
  type StreamOptions,
} from "./extensions/stream/mod.ts";
export { config } from "./extensions/config/mod.ts";
export { authToken, contextData, language, userAgent, userId } from "./extensions/context_data/mod.ts";
export { logger } from "./extensions/logger/mod.ts";
export {
  type Counter,
  type Gauge,
  type Histogram,
  type HistogramOptions,
  type MetricLabels,
  type MetricOptions,
  metrics,
  type ServiceMetrics,
} from "./extensions/metrics/mod.ts";
export {
  type Dispatcher,
  dispatcher,
  type DispatcherOptions,
  type DispatchOptions,
  type EmitOptions,
  event,
  type EventDelivery,
  type EventOptions,
  type EventPayload,
  type EventsOf,
} from "./extensions/events/mod.ts";
export {
  consume,
  type ConsumeOptions,
  type Exchange,
  exchange,
  type ExchangeOptions,
  type Publish,
  publisher,
  type PublisherOptions,
  type PublishOptions,
  type Queue,
  queue,
  type QueueBinding,
  queueName,
  type QueueOffset,
  type QueueOptions,
  type QueueType,
  type Requester,
  requester,
  type RequesterCallOptions,
  type RequesterOptions,
  type UnnamedQueue,
  type UnnamedQueueOptions,
} from "./extensions/messaging/mod.ts";
export { type Backoff, Retry, type RetryPolicy } from "./runtime/message/retry.ts";
export { rawSerializer, type Serializer, textSerializer } from "./runtime/message/serializer.ts";
