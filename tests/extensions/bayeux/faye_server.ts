import { once } from "node:events";
import { createServer, type IncomingHttpHeaders, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import faye from "npm:faye@1.4.3";

/** A message as an extension of the server sees it. */
export interface FayeMessage {
  readonly channel: string;
  readonly ext?: Readonly<Record<string, unknown>>;
  error?: string;
  advice?: Readonly<Record<string, unknown>>;
  readonly [field: string]: unknown;
}

/** Options of {@linkcode FayeServer.start}. */
export interface FayeOptions {
  /** @default {a free port} */
  readonly port?: number;
  /** Seconds for which the server holds a request for messages. @default {20} */
  readonly timeout?: number;
  /** May refuse a message that comes in, by its `error`. */
  readonly incoming?: (message: FayeMessage) => void;
  /** May change a message that goes out. */
  readonly outgoing?: (message: FayeMessage) => void;
  /** The status with which requests are refused by their headers; undefined lets them in. */
  readonly status?: (headers: IncomingHttpHeaders) => number | undefined;
}

/** A Bayeux server: Faye, in this process. */
export class FayeServer implements AsyncDisposable {
  /** The channels of all subscriptions, in order. */
  readonly subscriptions: string[] = [];
  /** The channels of all messages from clients, in order. */
  readonly incoming: string[] = [];
  readonly headers: IncomingHttpHeaders[] = [];
  handshakes = 0;
  disconnects = 0;
  readonly #http: Server;
  // deno-lint-ignore no-explicit-any -- faye has no types
  readonly #faye: any;
  readonly #waiting = new Set<() => void>();
  #stopped: Promise<void> | undefined;

  constructor({ timeout = 20, incoming, outgoing, status }: FayeOptions) {
    this.#faye = new faye.NodeAdapter({ mount: "/bayeux", timeout });
    this.#faye.addExtension({
      incoming: (message: FayeMessage, pass: (message: FayeMessage) => void) => {
        this.incoming.push(message.channel);
        incoming?.(message);
        pass(message);
        this.#wake();
      },
      outgoing: (message: FayeMessage, pass: (message: FayeMessage) => void) => {
        outgoing?.(message);
        pass(message);
      },
    });
    this.#faye.on("handshake", () => this.#count(() => this.handshakes++));
    this.#faye.on("disconnect", () => this.#count(() => this.disconnects++));
    this.#faye.on("subscribe", (_id: string, channel: string) => {
      this.#count(() => this.subscriptions.push(channel));
    });
    this.#http = createServer();
    this.#faye.attach(this.#http);
    const [handle] = this.#http.listeners("request") as ((...args: unknown[]) => void)[];
    this.#http.removeAllListeners("request").on("request", (request, response) => {
      this.headers.push(request.headers);
      const refusal = status?.(request.headers);
      if (refusal === undefined) handle!.call(this.#http, request, response);
      else response.writeHead(refusal).end("refused");
      this.#wake();
    });
  }

  static async start(options: FayeOptions = {}): Promise<FayeServer> {
    const server = new FayeServer(options);
    server.#http.listen(options.port ?? 0, "127.0.0.1");
    await once(server.#http, "listening");
    return server;
  }

  get port(): number {
    return (this.#http.address() as AddressInfo).port;
  }

  get uri(): string {
    return `http://127.0.0.1:${this.port}/bayeux`;
  }

  /** Sends a message to all who have subscribed. */
  publish(channel: string, data: unknown, more: Readonly<Record<string, unknown>> = {}): void {
    this.#faye._server._engine.publish({ channel, data, ...more });
  }

  /** Resolves when `isSo` holds; it is asked after each event and each request. */
  async until(isSo: () => boolean): Promise<void> {
    while (!isSo()) await new Promise<void>((resolve) => this.#waiting.add(resolve));
  }

  /** Resolves when the server holds a request for messages. */
  async isAsked(): Promise<void> {
    const before = this.incoming.length;
    await this.until(() => this.incoming.slice(before).includes("/meta/connect") || this.#holds());
  }

  /** Stops at once, and forgets its clients. */
  stop(): Promise<void> {
    return this.#stopped ??= this.#stop();
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.stop();
  }

  #holds(): boolean {
    return this.#faye._server._engine._connections.size > 0;
  }

  async #stop(): Promise<void> {
    const engine = this.#faye._server._engine;
    for (const connection of engine._connections.values()) connection.removeAllTimeouts();
    engine._engine.disconnect();
    const closed = once(this.#http, "close");
    this.#http.close();
    this.#http.closeAllConnections();
    await closed;
  }

  #count(note: () => void): void {
    note();
    this.#wake();
  }

  #wake(): void {
    const waiting = [...this.#waiting];
    this.#waiting.clear();
    for (const wake of waiting) wake();
  }
}
