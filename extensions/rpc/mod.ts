/** The author's half of RPC. Every thread loads this module, and the module opens nothing. */
export { rpc, type RpcOptions, type RpcSchemas, type RpcSpec } from "./rpc.ts";
export {
  type CallOptions,
  type Client,
  client,
  type ClientMethod,
  type PendingCall,
  type SingleCallOptions,
} from "./client.ts";
export type {
  BulkheadPolicy,
  CallRetry,
  CircuitPolicy,
  ClientPolicies,
  FailedCall,
  Fallback,
  MethodPolicies,
  SingleCallPolicies,
} from "./resilience/policies.ts";
export type { SendingOptions } from "./sending.ts";
export type { ErrorClass } from "./registered_errors.ts";
