/**
 * The client of WebSocket services.
 *
 * Invariant: `connectSocket` uses only its own code and the features of browsers. It uses no import and no
 * other declaration of this file. So its source text is the module that pages without a bundler import,
 * {@linkcode clientScript}. A test in a browser fails if the function uses anything else.
 */
import type { Duration } from "../../../runtime/waiting/duration.ts";
import type {
  ConnectSocketOptions,
  SocketCallOptions,
  SocketClient,
  SocketMethods,
} from "./socket_client.ts";

/**
 * Connects to the WebSocket of a service, and connects again whenever the connection is lost.
 *
 * `connectSocket<typeof chat>("/ws")` takes the type of a service. The page does not need to load the
 * service.
 *
 * @param url URL, relative to the page or complete. `http:` counts as `ws:`.
 *
 * @example
 * ```ts ignore
 * import { connectSocket } from "@enoki/enoki/websocket";
 *
 * const socket = connectSocket<typeof chat>("/ws");
 * socket.on("connected", () => socket.call.join("lobby"));
 * socket.on("said", (text) => show(text));
 * await socket.call.say("lobby", "Hello");
 * ```
 */
export function connectSocket<Target = unknown>(
  url: string | URL,
  options: ConnectSocketOptions = {},
): SocketClient<Target> {
  const milliseconds = (name: string, given: Duration): number => {
    const units: Readonly<Record<string, number>> = {
      d: 86_400_000,
      h: 3_600_000,
      m: 60_000,
      s: 1_000,
      ms: 1,
    };
    let sum = typeof given === "number" ? given : given.length > 0 ? 0 : NaN;
    const rest = String(typeof given === "number" ? "" : given).replace(
      /(\d+(?:\.\d+)?)(ms|[dhms])/g,
      (_, count, unit) => {
        sum += Number(count) * units[unit]!;
        return "";
      },
    );
    if (rest === "" && sum >= 0) return sum;
    throw new RangeError(
      `Cannot connect: ${name} must be milliseconds, or a text such as "500ms" or "30s", got ${given}`,
    );
  };
  const defaultTimeout = milliseconds("timeout", options.timeout ?? 30_000);
  const retryAfter = milliseconds("retryAfter", options.retryAfter ?? 500);
  const retryLimit = milliseconds("retryLimit", options.retryLimit ?? 30_000);

  interface Pending {
    readonly frame: string;
    readonly settle: (error: unknown, result?: unknown) => void;
    sent: boolean;
  }

  const address = new URL(url, globalThis.location?.href);
  address.protocol = address.protocol.replace("http", "ws");
  const pending = new Map<number, Pending>();
  const listeners = new Map<string, Set<(data: unknown) => void>>();
  let socket: WebSocket;
  let id: string | undefined;
  let lastCall = 0;
  let failures = 0;
  let retry: ReturnType<typeof setTimeout> | undefined;
  let closing: PromiseWithResolvers<void> | undefined;

  const socketError = (name: string, message: string, code: string, retryable: boolean, data?: unknown) =>
    Object.assign(new Error(message), { name, code, retryable, data });

  const send = (call: Pending) => {
    call.sent = true;
    socket.send(call.frame);
  };

  const receive = (text: string) => {
    const message = JSON.parse(text);
    if (message.type === "event") {
      const isConnected = message.event === "connected";
      if (isConnected) {
        id = message.data.socket_id;
        failures = 0;
      }
      for (const listener of [...listeners.get(message.event) ?? []]) {
        try {
          listener(message.data);
        } catch (error) {
          reportError(error);
        }
      }
      if (isConnected) { for (const call of pending.values()) if (!call.sent) send(call); }
      return;
    }
    const call = pending.get(message.correlation_id);
    if (message.success) call?.settle(undefined, message.data);
    else {
      const { exc_type, value, code = exc_type, retryable = false, data } = message.error;
      call?.settle(socketError(exc_type, value || exc_type, code, retryable, data));
    }
  };

  const lost = () => {
    id = undefined;
    const text = "Cannot tell whether the call succeeded: the connection was lost before the answer came";
    for (const { sent, settle } of [...pending.values()]) {
      if (sent) settle(socketError("ConnectionLostError", text, "CONNECTION_LOST", true));
    }
    if (closing !== undefined) return closing.resolve();
    // The random part keeps many clients from connecting at the same time when their server comes back.
    const delay = Math.min(retryLimit, retryAfter * 2 ** failures++) * (0.5 + Math.random() / 2);
    retry = setTimeout(connect, delay);
  };

  const connect = () => {
    const opened = socket = new WebSocket(address);
    let isLost = false;
    socket.onmessage = ({ data }) => receive(data);
    socket.onclose = () => {
      if (!isLost && opened === socket) lost();
      isLost = true;
    };
    // After each error comes a close, and `onclose` handles it.
    socket.onerror = () => {};
  };

  const ask = (method: string, values: object, { timeout = defaultTimeout, signal }: SocketCallOptions) =>
    new Promise<unknown>((resolve, reject) => {
      signal?.throwIfAborted();
      const limit = milliseconds("timeout", timeout);
      if (closing !== undefined) {
        throw socketError(
          "ConnectionLostError",
          `Cannot call "${method}": the client is closed`,
          "CLOSED",
          false,
        );
      }
      const correlationId = ++lastCall;
      const frame = JSON.stringify({ method, ...values, correlation_id: correlationId });
      const settle = (error: unknown, result?: unknown) => {
        pending.delete(correlationId);
        clearTimeout(timer);
        signal?.removeEventListener("abort", withdraw);
        if (error === undefined) resolve(result);
        else reject(error);
      };
      const withdraw = () => settle(signal!.reason);
      const timer = setTimeout(() => {
        const text = `Cannot call "${method}": no answer within ${limit} ms`;
        settle(socketError("CallTimeoutError", text, "TIMEOUT", true));
      }, limit);
      signal?.addEventListener("abort", withdraw);
      const call = { frame, settle, sent: false };
      pending.set(correlationId, call);
      if (id !== undefined && socket.readyState === WebSocket.OPEN) send(call);
    });

  const createMethod = (method: string, options: SocketCallOptions): object =>
    Object.assign((...args: unknown[]) => ask(method, args.length > 0 ? { args } : {}, options), {
      with: (more: SocketCallOptions) => createMethod(method, { ...options, ...more }),
      kwargs: (data: object) => ask(method, { data }, options),
    });

  const close = (): Promise<void> => {
    if (closing === undefined) {
      closing = Promise.withResolvers<void>();
      clearTimeout(retry);
      for (const { settle } of [...pending.values()]) {
        settle(
          socketError("ConnectionLostError", "The client was closed before the answer came", "CLOSED", false),
        );
      }
      if (socket.readyState === WebSocket.CLOSED) closing.resolve();
      else socket.close();
    }
    return closing.promise;
  };

  connect();
  return {
    call: new Proxy({}, {
      get: (_methods, name) =>
        typeof name === "string" && name !== "then" ? createMethod(name, {}) : undefined,
    }) as SocketMethods<Target>,
    get id() {
      return id;
    },
    on(event, listener) {
      const all = listeners.get(event) ?? new Set();
      listeners.set(event, all.add(listener as (data: unknown) => void));
      return () => void all.delete(listener as (data: unknown) => void);
    },
    close,
    [Symbol.asyncDispose]: close,
  };
}

/**
 * {@linkcode connectSocket} as a JavaScript module, for pages without a bundler.
 *
 * @example
 * ```ts
 * import { http, service } from "@enoki/enoki";
 * import { clientScript } from "@enoki/enoki/websocket";
 *
 * export default service("pages", {
 *   entrypoints: { client: http("GET", "/client.js") },
 *   handlers: { client: () => new Response(clientScript, { headers: { "content-type": "text/javascript" } }) },
 * });
 * ```
 */
export const clientScript: string =
  // If a bundler has bundled the service, the function calls a helper `__name`, which gives functions their
  // names.
  `const __name = (value) => value;\nexport const connectSocket = ${connectSocket};\n`;
