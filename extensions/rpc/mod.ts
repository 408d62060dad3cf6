/** The author's half of RPC: loads in every thread, opens nothing. */
export { rpc, type RpcOptions, type RpcSchemas, type RpcSpec } from "./rpc.ts";
export { type CallOptions, type Client, client, type ClientMethod, type PendingCall } from "./client.ts";
