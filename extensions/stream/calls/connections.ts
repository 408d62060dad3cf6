import { dependency, type DependencySpec } from "../../../runtime/service/dependency.ts";
import type { Messenger } from "../../../runtime/message/messenger.ts";
import type { FieldTable } from "../../../runtime/message/transport.ts";
import { type FrameFormat, frameOf } from "../framing/frame.ts";
import { sendWritten } from "./call_connection.ts";
import { type ConnectionMethod, CONNECTIONS_ADDRESS, GONE } from "./connection_requests.ts";

/** All connections of one stream in this process, from any handler of its service in any thread. */
export interface StreamConnections<Written> {
  /** Returns the ids of the connections, the oldest first. */
  ids(): Promise<readonly string[]>;
  /**
   * Writes to one connection. Resolves when the runtime has taken the data, which takes as long as the peer has
   * too much to read.
   *
   * @returns Whether there is such a connection.
   */
  write(id: string, data: Written): Promise<boolean>;
  /**
   * Writes to all connections, and waits for none of them: a peer that leaves too much unread loses its
   * connection.
   *
   * @param options.except Ids of connections that do not get the data.
   */
  broadcast(data: Written, options?: { readonly except?: string | readonly string[] }): Promise<void>;
  /** Ends a connection after what was written. Returns whether there is such a connection. */
  close(id: string): Promise<boolean>;
  /** Ends a connection at once. Returns whether there is such a connection. */
  abort(id: string, reason?: string): Promise<boolean>;
}

/** Makes the dependency on the connections of the stream with this key. */
export function connectionsOf<Written>(
  stream: string,
  format: FrameFormat,
): DependencySpec<StreamConnections<Written>> {
  return dependency({
    kind: "streamConnections",
    bind: ({ messenger }) => {
      const connections = createConnections<Written>(stream, format, messenger);
      return { get: () => connections };
    },
  });
}

function createConnections<Written>(
  stream: string,
  format: FrameFormat,
  messenger: Messenger,
): StreamConnections<Written> {
  const ask = async (
    method: ConnectionMethod,
    headers: FieldTable,
    body: string | Uint8Array<ArrayBuffer> = "",
  ): Promise<string> => {
    sendWritten();
    const request = { service: CONNECTIONS_ADDRESS, method, body, headers: { stream, ...headers } };
    return String(await messenger.request(request, { timeout: Infinity }));
  };
  const end = async (connection: string, end: string, reason: string) =>
    await ask("write", { connection, end, reason }) !== GONE;
  return {
    async ids() {
      return JSON.parse(await ask("list", {}));
    },
    async write(connection, data) {
      return await ask("write", { connection, end: "", reason: "" }, frameOf(data, format)) !== GONE;
    },
    async broadcast(data, { except = [] } = {}) {
      await ask(
        "broadcast",
        { except: typeof except === "string" ? [except] : except },
        frameOf(data, format),
      );
    },
    close: (id) => end(id, "close", ""),
    abort: (id, reason = "a handler has cut the connection") => end(id, "abort", reason),
  };
}
