import { memory } from "../../../extensions/memory/mod.ts";
import { type Config, run, type Running, type RunOptions } from "../../../extensions/run.ts";

/** The module of services that these tests ask. */
export const SOCKET_SERVICE = new URL("./socket_service.ts", import.meta.url).pathname;

/** Services that are served, with the URL of their WebSocket. */
export interface ServedSockets extends Running {
  readonly http: string;
  readonly ws: string;
}

/** Serves modules at a free port. */
export async function serveSockets(
  config: Config = {},
  { threads, ...options }: RunOptions = {},
  modules: readonly string[] = [SOCKET_SERVICE],
): Promise<ServedSockets> {
  const running = await run(modules, {
    broker: memory(),
    config: { WEB_SERVER_ADDRESS: "127.0.0.1:0", max_workers: 2, ...config },
    ...options,
    threads: { kind: "node", permissions: "all", ...threads },
  });
  return Object.assign(running as Running & { readonly http: string }, {
    ws: socketUrl(running.http!),
  });
}

/** The URL of the WebSocket that a server with this URL has. */
export function socketUrl(http: string): string {
  return `${http.replace("http", "ws")}/ws`;
}

/** A message from the server. */
// deno-lint-ignore no-explicit-any -- tests look into whatever came
export type Frame = any;

/** A WebSocket that speaks Nameko's messages by hand. */
export class RawSocket implements AsyncDisposable {
  /** Its id in the service. */
  id = "";
  /** Resolves with the code of the close. */
  readonly closed: Promise<CloseEvent>;
  readonly #socket: WebSocket;
  readonly #frames: Frame[] = [];
  #awaited: ((frame: Frame) => void) | undefined;

  /** Use {@linkcode RawSocket.open}. */
  constructor(socket: WebSocket) {
    this.#socket = socket;
    socket.onmessage = ({ data }) => {
      const frame = JSON.parse(data);
      if (this.#awaited === undefined) this.#frames.push(frame);
      else this.#awaited(frame);
      this.#awaited = undefined;
    };
    this.closed = new Promise((resolve) => socket.onclose = resolve);
    socket.onerror = () => {};
  }

  /** Connects, and reads the event that every connection begins with. */
  static async open(url: string, headers: Record<string, string> = {}): Promise<RawSocket> {
    const raw = new RawSocket(new WebSocket(url, { headers }));
    raw.id = (await raw.next()).data.socket_id;
    return raw;
  }

  send(message: unknown): void {
    this.#socket.send(
      typeof message === "string" || message instanceof Uint8Array
        ? message as string
        : JSON.stringify(message),
    );
  }

  /** The next message of the server. */
  next(): Promise<Frame> {
    const { promise, resolve } = Promise.withResolvers<Frame>();
    if (this.#frames.length > 0) resolve(this.#frames.shift());
    else this.#awaited = resolve;
    return promise;
  }

  /** Calls, and reads the next message, which is the answer where no events come between. */
  async call(method: string, data?: unknown): Promise<Frame> {
    this.send({ method, data, correlation_id: method });
    return await this.next();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    if (this.#socket.readyState === WebSocket.CLOSED) return;
    this.#socket.close();
    await this.closed;
  }
}

/** A connection that has made the WebSocket handshake, and reads and writes no more than it is told to. */
export async function connectByHand(
  url: string,
  headers: Record<string, string> = {},
): Promise<Deno.TcpConn> {
  const { hostname, port } = new URL(url);
  const connection = await Deno.connect({ hostname, port: Number(port) });
  await connection.write(new TextEncoder().encode(handshake(url, headers)));
  return connection;
}

/** The request for a WebSocket, as text. */
export function handshake(url: string, headers: Record<string, string> = {}): string {
  const { hostname, port, pathname } = new URL(url);
  const lines = [
    `GET ${pathname} HTTP/1.1`,
    `Host: ${hostname}:${port}`,
    "Upgrade: websocket",
    "Connection: Upgrade",
    "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==",
    "Sec-WebSocket-Version: 13",
    ...Object.entries(headers).map(([name, value]) => `${name}: ${value}`),
  ];
  return `${lines.join("\r\n")}\r\n\r\n`;
}

/** A text frame of a client, with a mask of zeros; for texts of less than 64 KiB. */
export function clientFrame(text: string): Uint8Array {
  const body = new TextEncoder().encode(text);
  const head = body.length < 126
    ? [0x81, 0x80 | body.length]
    : [0x81, 0x80 | 126, body.length >> 8, body.length & 255];
  return new Uint8Array([...head, 0, 0, 0, 0, ...body]);
}
