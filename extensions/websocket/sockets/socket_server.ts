import { within } from "../../../runtime/waiting/abort.ts";
import type { Log } from "../../../runtime/log/log.ts";
import type { Upgrade, UpgradeHandler } from "../../http/upgrade.ts";
import type { WebSocketSettings } from "../settings.ts";
import type { Hub } from "../hub/hub.ts";
import { isAllowedOrigin } from "./origin.ts";
import { Socket } from "./socket.ts";
import { type SocketMethod, SocketMethods } from "./socket_methods.ts";

/** The part of the HTTP server that WebSockets need. */
export interface UpgradeServer {
  /** @throws {ConfigurationError} If another handler has that path. */
  addUpgrade(path: string, handler: UpgradeHandler): void;
  /**
   * Takes no more clients, and closes the listener and the connections that handlers took over. Idempotent.
   */
  close(): Promise<void>;
}

/** Options of {@linkcode SocketServer}. */
export interface SocketServerOptions extends WebSocketSettings {
  readonly server: UpgradeServer;
  readonly hub: Hub;
  readonly log: Log;
}

/** Milliseconds that clients have to answer a close when the server stops. */
const CLOSE_LIMIT = 1_000;

/** The WebSockets of all services: their paths and their clients. */
export class SocketServer {
  readonly #options: SocketServerOptions;
  readonly #paths = new Map<string, SocketMethods>();
  readonly #sockets = new Set<Socket>();
  readonly #unopened = new Set<WebSocket>();
  readonly #aborting = Promise.withResolvers<void>();
  #closing: Promise<void> | undefined;

  constructor(options: SocketServerOptions) {
    this.#options = options;
  }

  /** Number of clients. */
  get size(): number {
    return this.#sockets.size;
  }

  /**
   * Adds a method at a path.
   *
   * @throws {ConfigurationError} If another service has a method of that name at the path, or if a handler of
   * another kind has the path.
   */
  add(path: string, method: string, target: SocketMethod): void {
    let methods = this.#paths.get(path);
    if (methods === undefined) {
      methods = new SocketMethods(path);
      this.#options.server.addUpgrade(path, {
        name: `the WebSocket of ${target.name}`,
        upgrade: (request) => this.#upgrade(request, methods!),
        hasUnopened: () => this.#unopened.size > 0,
        close: () => this.#close(),
      });
      this.#paths.set(path, methods);
    }
    methods.add(method, target);
  }

  /** Removes the methods of an owner. Its clients stay, because other owners may serve them. */
  remove(owner: unknown): void {
    for (const methods of this.#paths.values()) methods.remove(owner);
  }

  /** Takes no more clients. Sends the present clients away once their running calls have answers. */
  close(): Promise<void> {
    return this.#options.server.close();
  }

  /** Ends all waits of {@linkcode SocketServer.close}. */
  abort(): void {
    this.#aborting.resolve();
  }

  async #upgrade(request: Request, methods: SocketMethods): Promise<Upgrade> {
    const { origins, trustProxy = false, maxClients, idleTimeout, hub, log, ...limits } = this.#options;
    const { headers, url, signal } = request;
    if (headers.get("upgrade")?.toLowerCase() !== "websocket") {
      return { status: 400, reason: "This path is for WebSockets" };
    }
    if (!isAllowedOrigin(request, { origins, trustProxy })) {
      return { status: 403, reason: "Pages of this origin may not connect" };
    }
    // The socket of a client that has gone already would never open. Deno notices the loss in one turn of the
    // event loop, and the signal aborts in the next turn.
    for (let turn = 0; turn < 2; turn++) await new Promise<void>((resolve) => setImmediate(resolve));
    if (signal.aborted) return { status: 400, reason: "The client has gone" };
    if (this.#closing !== undefined) return { status: 503, reason: "The server is stopping" };
    if (this.#sockets.size >= maxClients) {
      log.warning(`Refused a WebSocket: ${maxClients} clients are connected. Raise WEBSOCKET_MAX_CLIENTS`);
      return { status: 503, reason: "Too many clients are connected" };
    }
    let upgraded: Deno.WebSocketUpgrade;
    try {
      upgraded = Deno.upgradeWebSocket(request, { idleTimeout: idleTimeout / 1_000 });
    } catch (error) {
      return { status: 400, reason: (error as Error).message };
    }
    this.#watchOpening(upgraded.socket);
    const flat: string[] = [];
    headers.forEach((value, name) => flat.push(name, value));
    const socket = new Socket(upgraded.socket, {
      ...limits,
      request: { url, headers: flat },
      methods,
      onOpen: (socket) => hub.add(socket),
      onClose: (socket) => {
        hub.remove(socket);
        this.#sockets.delete(socket);
      },
      onRefused: (socket, reason) => {
        hub.remove(socket);
        log.warning(`Closed WebSocket ${socket.id}: ${reason}`);
      },
    });
    this.#sockets.add(socket);
    return { response: upgraded.response };
  }

  #watchOpening(socket: WebSocket): void {
    this.#unopened.add(socket);
    for (const event of ["open", "close"]) {
      socket.addEventListener(event, () => this.#unopened.delete(socket), { once: true });
    }
  }

  /** Closes all paths together. Each path waits for the same end. */
  #close(): Promise<void> {
    return this.#closing ??= this.#sendAway();
  }

  async #sendAway(): Promise<void> {
    const sockets = [...this.#sockets];
    const aborted = this.#aborting.promise;
    await Promise.race([Promise.all(sockets.map((socket) => socket.finish())), aborted]);
    for (const socket of sockets) socket.close(1001, "The server is stopping");
    await within(CLOSE_LIMIT, Promise.race([Promise.all(sockets.map(({ closed }) => closed)), aborted]));
  }
}
