/** The author's half of WebSockets. Every thread loads it, and it opens nothing. */
export { ConnectionNotFoundError } from "./hub/connection_not_found_error.ts";
export { type WebSocketConnection, websocketConnection } from "./connection.ts";
export { websocket, type WebSocketOptions, type WebSocketSpec } from "./websocket.ts";
export { type WebSocketHub, websocketHub } from "./hub/websocket_hub.ts";
