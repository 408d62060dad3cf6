/**
 * The client half of streams: the door `@enoki/enoki/stream` of services and programs that connect to others.
 *
 * @module
 */
export type { StreamConnection } from "./calls/connection.ts";
export { ConnectionLostError, type StreamLoss, type StreamLossCode } from "./conversation/loss.ts";
export {
  connectStream,
  type ConnectStreamOptions,
  type StreamClient,
  type StreamHandlers,
} from "./connecting/connect_stream.ts";
export type { StreamLimitOptions } from "./settings.ts";
export { ConnectionFailedError } from "./connecting/connection_failed_error.ts";
