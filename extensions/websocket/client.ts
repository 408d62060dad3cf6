/** The client of WebSocket services, for web pages and for programs that are not services. */
export { clientScript, connectSocket } from "./browser/connect_socket.ts";
export type {
  ConnectSocketOptions,
  SocketCallOptions,
  SocketClient,
  SocketError,
  SocketEvents,
  SocketMethod,
  SocketMethods,
} from "./browser/socket_client.ts";
