/**
 * Asks the processes that serve what they are and what they do: the door `@enoki/enoki/control` of programs.
 *
 * @module
 */
export { ControlClient } from "./control_client.ts";
export type { ControlAnswer, ControlAskOptions, ControlRequest } from "./control_client.ts";
export { describedVersion, DescriptionError, liveInstances, liveServices, liveVersions } from "./live.ts";
export type { LiveOptions, LiveService, LiveVersion } from "./live.ts";
export type {
  InstanceStatus,
  LiveDependency,
  LiveEntrypoint,
  LiveManifest,
  ServiceRates,
  ServiceStatus,
  ThreadNumbers,
} from "./status.ts";
export { InspectionError, inspectThread } from "./inspection.ts";
export type { InspectionSubject, InspectOptions } from "./inspection.ts";
export { tailLog } from "./log_tail.ts";
export type { LogNews, TailOptions } from "./log_tail.ts";
export { traceCalls } from "./traced_calls.ts";
export type { TraceCalls, TracedCall } from "./traced_calls.ts";
export type { LogRecord, LogThreshold } from "../../runtime/log/log.ts";
export type { LoggedError } from "../../runtime/log/plain_properties.ts";
export type { CallOutcome } from "../../runtime/telemetry/call_record.ts";
export type { Transport } from "../../runtime/message/transport.ts";
