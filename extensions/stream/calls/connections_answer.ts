import { isTexts } from "../../../runtime/message/plain.ts";
import type { Request } from "../../../runtime/message/messenger.ts";
import { encodeText, type StreamEncoding } from "../framing/frame.ts";
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
      // While a new version takes over, the connections of one stream may have two encodings.
      const encoded = new Map<StreamEncoding, Uint8Array>();
      for (const conversation of server.connections(service, String(headers.stream))) {
        if (except.has(conversation.id)) continue;
        const { encoding } = conversation.format;
        const bytes = typeof body === "string" ? encoded.get(encoding) ?? encodeText(body, encoding) : body;
        encoded.set(encoding, bytes);
        conversation.write(bytes);
      }
      return "";
    }
    case "list":
      return JSON.stringify(server.connections(service, String(headers.stream)).map(({ id }) => id));
  }
}
