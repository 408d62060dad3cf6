/**
 * The main-thread half of an extension lets calls in, answers them, and does the setup in the main thread.
 *
 * An extension has two halves. Every thread loads the author's half (`entrypoint()` and `dependency()` of
 * `@enoki/enoki`), which turns messages into arguments. The main thread loads the host half, with all
 * permissions that the main thread has. A module exports the host half as a value that `extension()` has made,
 * and the operator names this module: with `--extension`, under `extensions` in the configuration, or in `run()`.
 *
 * @module
 */
export { extension } from "./extension.ts";
export type {
  Extension,
  ExtensionParts,
  ExtensionSpec,
  TransportFactory,
  TransportRegistry,
} from "./extension.ts";
export type {
  Answer,
  DependencyHalf,
  DependencyRegistry,
  DependencySetup,
  DependencySetupHost,
  Entrypoint,
  EntrypointFactory,
  EntrypointHost,
  EntrypointRegistry,
  HostedCall,
  HostedEntrypoint,
  HostHook,
} from "./host.ts";
export { HeldCalls, runHeld } from "./held_calls.ts";
export type { RunHeldOptions } from "./held_calls.ts";
export { QueueHost } from "./queue_host.ts";
export type { QueueSubscription } from "./queue_host.ts";
export { followDemand } from "./follow_demand.ts";
export { bury, deadLetterQueueOf } from "./message_fate.ts";
export type { DeathReason, Outbox } from "./message_fate.ts";
export type { Place } from "../config/place.ts";
export type { Section } from "../config/section.ts";
export type { Log } from "../log/log.ts";
export { describeFailure } from "../message/failure.ts";
export type { Failure } from "../message/failure.ts";
export { failed } from "../message/outcome.ts";
export type { Messenger } from "../message/messenger.ts";
export type { EndedOutcome, Fault, Outcome } from "../message/outcome.ts";
export type { Plain, PlainRecord } from "../message/plain.ts";
export type { Body, Chunk } from "../message/reply.ts";
export type { ReplyStream } from "../message/reply_stream.ts";
export { transportableBody } from "../message/payload/transportable_body.ts";
export type {
  BindingDeclaration,
  ConsumeOptions,
  Consumer,
  Delivery,
  ExchangeDeclaration,
  ExchangeType,
  FieldTable,
  FieldValue,
  Message,
  MessageProperties,
  QueueDeclaration,
  Receiver,
  StreamOffset,
  Topology,
  Transport,
  TransportOptions,
  TransportPublishOptions,
  TransportStatus,
  Verdict,
} from "../message/transport.ts";
export type {
  Counter,
  Gauge,
  Histogram,
  HistogramOptions,
  Metric,
  MetricKind,
  MetricOptions,
} from "../telemetry/metric.ts";
export type { Metrics } from "../telemetry/metrics.ts";
export type { Payload } from "../service/entrypoint.ts";
export type { ManifestDependency, ManifestEntrypoint } from "../service/manifest.ts";
export type { Clock, TimerName } from "../waiting/clock.ts";
export { Cancellation } from "../waiting/cancellation.ts";
