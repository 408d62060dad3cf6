import { isTexts } from "../../../runtime/message/plain.ts";
import type { Request } from "../../../runtime/message/messenger.ts";
import { endBy, write } from "../host.ts";
import type { StreamServer } from "../listening/stream_server.ts";
import { type ConnectionMethod, GONE } from "./connection_requests.ts";

/**
 * Answers a request that a thread has sent to `CONNECTIONS_ADDRESS`. A service reaches its own connections only.
 *
 * It acts before it returns, so what a handler writes in this way leaves before what it writes next. Only the
 * answer waits, until the peer has read enough.
 */
export function answerForConnections(
  server: StreamServer,
  service: string,
  { method, body, headers }: Request,
): string | Promise<string> {
  switch (method as ConnectionMethod) {
    case "write": {
      const conversation = server.find(service, String(headers.connection));
      if (conversation === undefined || conversation.loss !== undefined) return GONE;
      if (body.length > 0) write(conversation, body);
      endBy(conversation, headers.end, headers.reason);
      if (headers.end !== "") return "0";
      if (conversation.room !== 0) return String(conversation.room);
      return conversation.writable().then(() => String(conversation.room));
    }
    case "broadcast": {
      const except = new Set(isTexts(headers.except) ? headers.except : []);
      for (const conversation of server.connections(service, String(headers.stream))) {
        if (!except.has(conversation.id)) write(conversation, body);
      }
      return "";
    }
    case "list":
      return JSON.stringify(server.connections(service, String(headers.stream)).map(({ id }) => id));
  }
}
