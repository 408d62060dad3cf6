/** The author's half of streams. Every thread loads it, and it opens nothing. */
export type { StreamConnection } from "./calls/connection.ts";
export type { StreamConnections } from "./calls/connections.ts";
export { ConnectionLostError, type StreamLoss, type StreamLossCode } from "./conversation/loss.ts";
export type { FrameFormat, Framing, StreamData, StreamEncoding } from "./framing/frame.ts";
export type { StreamLimitOptions, StreamLimits } from "./settings.ts";
export { type Stream, stream, type StreamHandlerOptions } from "./stream.ts";
export type { StreamListen, StreamOptions } from "./stream_options.ts";
