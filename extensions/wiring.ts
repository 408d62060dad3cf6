/** What services are connected to: every built-in extension, a broker, an HTTP server. */
import { type Config, runtimeOptions } from "../runtime/config/config.ts";
import type { Container } from "../runtime/serving/container.ts";
import type { BrokerError } from "../runtime/message/errors.ts";
import type { DependencyRegistry, EntrypointRegistry } from "../runtime/hosting/host.ts";
import type { Wiring } from "../runtime/serving/launcher.ts";
import type { Log } from "../runtime/log/log.ts";
import { isLogged } from "../runtime/log/observe.ts";
import type { PlainRecord } from "../runtime/message/plain.ts";
import type { Transport, TransportStatus } from "../runtime/message/transport.ts";
import { logStatus, openBroker } from "./broker.ts";
import { createEventHost, setUpDispatcher } from "./events/host.ts";
import { HttpHost } from "./http/host.ts";
import { OpenApiRoute } from "./http/openapi/route.ts";
import { HttpServer } from "./http/server.ts";
import { createConsumeHost, setUpPublisher } from "./messaging/host.ts";
import { RpcCaller } from "./rpc/caller.ts";
import { RpcHost } from "./rpc/host.ts";
import { TimerHost } from "./timer/host.ts";
import { WebSocketHost } from "./websocket/host.ts";
import { Hub } from "./websocket/hub/hub.ts";
import { HubMessenger } from "./websocket/hub/hub_messenger.ts";
import { SocketServer } from "./websocket/sockets/socket_server.ts";

/** Options of {@linkcode wire}. */
export interface WireOptions {
  readonly config: Config;
  /**
   * URI of the broker, or a transport that is to be connected.
   *
   * @default {what the configuration names, else RabbitMQ on localhost, else `local:`}
   */
  readonly broker?: string | Transport;
  /** Entrypoint kinds beside the built-in ones. */
  readonly entrypoints: EntrypointRegistry;
  /** Dependency kinds beside the built-in ones. */
  readonly dependencies: DependencyRegistry;
  /** The services that run. */
  readonly containers: () => ReadonlyMap<string, Container>;
  /** Whether services are known that will serve HTTP. */
  readonly willServeHttp: () => boolean;
  readonly onUnreachable?: (error: BrokerError, retryIn: number) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A {@linkcode Wiring} with the server that HTTP entrypoints share. */
export interface Wired extends Wiring {
  readonly server: HttpServer;
  /** Lets HTTP requests in, where there are rules for them. Idempotent. */
  listen(): Promise<void>;
}

/**
 * Connects to the broker, and makes all that serves services beside their threads.
 *
 * @throws {ConfigurationError} If the configuration is wrong.
 * @throws {BrokerError} If the broker cannot be reached.
 */
export async function wire(
  { config, broker, entrypoints, dependencies, containers, willServeHttp, onUnreachable, log, signal }:
    WireOptions,
): Promise<Wired> {
  const known = runtimeOptions(config);
  let lost = false;
  const isReady = () =>
    !lost && [...containers().values()].every(({ state, pool }) => state === "running" && pool.size > 0);
  const server = new HttpServer({ ...known.http, log, isLogged: () => isLogged("info"), isReady });
  const hub = new Hub();
  const sockets = new SocketServer({ ...known.websocket, server, hub, log });
  const manifests = () => [...containers().values()].map(({ manifest }) => manifest);
  const openapi = known.http.openapi && new OpenApiRoute(manifests, known.http.openapi, log);
  const inform = logStatus(log);
  const transport = await waitWithHealth(
    server,
    (onWaiting) =>
      typeof broker === "object" ? connected(broker, signal) : openBroker({
        config,
        ...(broker !== undefined && { broker }),
        ...(onUnreachable && {
          onUnreachable(error: BrokerError, retryIn: number) {
            if (willServeHttp()) onWaiting();
            onUnreachable(error, retryIn);
          },
        }),
        onStatus(status: TransportStatus) {
          if (status.state === "lost") lost = true;
          else if (status.state === "connected") lost = false;
          inform(status);
        },
        onFallback: (message) => log.info(message),
        signal,
      }),
  );
  return {
    transport,
    server,
    async listen() {
      openapi?.addTo(server);
      await server.listen();
    },
    messengerOf: (service) =>
      new HubMessenger(hub, new RpcCaller(transport, { caller: service, config: config as PlainRecord })),
    entrypoints: {
      event: createEventHost,
      consume: createConsumeHost,
      rpc: (entries, host) => new RpcHost(entries, host),
      timer: (entries, host) => new TimerHost(entries, host),
      cron: (entries, host) => new TimerHost(entries, host),
      http: (entries, host) => new HttpHost(entries, host, server, known.http.maxBody),
      websocket: (entries, host) => new WebSocketHost(entries, host, sockets),
      ...entrypoints,
    },
    /** Those for which the main thread sets something up. */
    dependencies: {
      dispatcher: setUpDispatcher,
      publisher: setUpPublisher,
      websocketHub: () => Promise.resolve(),
      ...dependencies,
    },
  };
}

async function connected(transport: Transport, signal: AbortSignal): Promise<Transport> {
  try {
    await transport.connect({ signal });
    return transport;
  } catch (error) {
    await transport.close();
    throw error;
  }
}

/** Waits for a broker; while it is not there, whoever looks after the process is answered. */
async function waitWithHealth(
  server: HttpServer,
  wait: (onWaiting: () => void) => Promise<Transport>,
): Promise<Transport> {
  const failed = Promise.withResolvers<never>();
  const onWaiting = () => void server.listenForHealth().catch(failed.reject);
  try {
    return await Promise.race([wait(onWaiting), failed.promise]);
  } catch (error) {
    await server.close();
    throw error;
  }
}
