/**
 * Connects services to a broker, and to the built-in extensions that they use.
 *
 * The host half of an extension is loaded when a manifest names one of its kinds, so a process pays only for what its
 * services use. The parts that all services of a process share (the HTTP server, the hub of the WebSockets) are made
 * when the first service needs them.
 */
import type { BrokerError } from "../runtime/message/errors.ts";
import { hostAddress } from "../runtime/service/dependency.ts";
import type { DependencyRegistry, DependencySetup, EntrypointFactory } from "../runtime/hosting/host.ts";
import type { Wiring } from "../runtime/serving/launcher.ts";
import type { ServiceContainer } from "../runtime/serving/service_container.ts";
import type { Log } from "../runtime/log/log.ts";
import type { Telemetry } from "../runtime/telemetry/telemetry.ts";
import { getLog, isLogged } from "../runtime/log/observe.ts";
import type { Transport, TransportStatus } from "../runtime/message/transport.ts";
import { within } from "../runtime/waiting/abort.ts";
import { Lazy } from "../runtime/waiting/lazy.ts";
import { serviceSettings } from "../runtime/serving/settings.ts";
import { logStatus, openBroker } from "./broker.ts";
import { BrokerAccess } from "./broker_access.ts";
import type { OpenApiRoute } from "./http/openapi/route.ts";
import type { HttpServer } from "./http/server.ts";
import { MessagingWiring } from "./messaging_wiring.ts";
import { type LocalAnswer, ServiceMessenger } from "./service_messenger.ts";
import type { Settings } from "./settings.ts";
import type { Hub } from "./websocket/hub/hub.ts";
import type { StreamServer } from "./stream/listening/stream_server.ts";
import type { SocketServer } from "./websocket/sockets/socket_server.ts";

/** Options of {@linkcode wire}. */
export interface WireOptions {
  readonly settings: Settings;
  readonly telemetry: Telemetry;
  /** What the process serves, as the pages of the broker show it. */
  readonly purpose: string;
  /**
   * URI of the broker, or a transport that is not connected yet.
   *
   * @default {the broker that the configuration names, else RabbitMQ on localhost, else `local:`}
   */
  readonly broker?: string | Transport;
  /** Gives all services, also those that are stopped. */
  readonly containers: () => ReadonlyMap<string, ServiceContainer>;
  /** Tells whether a service that has been loaded will serve HTTP. */
  readonly willServeHttp: () => boolean;
  readonly onUnreachable?: (error: BrokerError, retryIn: number) => void;
  readonly log: Log;
  readonly signal: AbortSignal;
}

/** A {@linkcode Wiring} with its HTTP server. */
export interface Wired extends Wiring {
  /** URL of the HTTP server; undefined while it does not listen. */
  readonly http: string | undefined;
  /** The addresses of all streams. */
  readonly streams: readonly string[];
  /** Lets HTTP requests in, where there are rules for them, and the connections of streams. Idempotent. */
  listen(): Promise<void>;
  /** Closes the server and the transport. After `limit` milliseconds it waits no longer for either. */
  close(limit: number): Promise<void>;
}

/**
 * Connects to the broker, and gives what a runner needs to serve services.
 *
 * @throws {ConfigurationError} If the configuration is wrong.
 * @throws {BrokerError} If the broker cannot be reached.
 */
export async function wire(options: WireOptions): Promise<Wired> {
  const { settings, log } = options;
  const { entrypoints, dependencies, around } = settings.extensions;
  const connection: { lost: boolean; transport?: Transport } = { lost: false };
  const shared = sharedParts(
    options,
    () => !connection.lost && (connection.transport?.isConsuming?.() ?? true),
    () => connection.transport!,
  );
  const close = async () => {
    shared.messaging[Symbol.dispose]();
    const web = await shared.web.settled();
    // A service with HTTP entrypoints closes the server when it stops, but not when the process goes on.
    if (web !== undefined && !web.server.isClosing) await web.server.close();
  };
  let transport: Transport;
  try {
    transport = connection.transport = await openTransport(options, connection, shared);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    transport,
    get http() {
      return shared.web.value?.server.url;
    },
    get streams() {
      return shared.streams.value?.addresses ?? [];
    },
    async listen() {
      shared.streams.value?.accept();
      const web = shared.web.value;
      if (web === undefined) return;
      const { containers } = options;
      // What has started again has rules of its own now.
      web.server.remove(({ service, isPaused }) =>
        isPaused === true && containers().get(service)?.state === "running"
      );
      web.openapi?.addTo(web.server);
      await web.server.listen();
    },
    messengerOf(service) {
      const access = accessOf(settings, service);
      return new ServiceMessenger({
        service,
        transport,
        local: shared.local,
        access: access.limitsPublishing ? access : undefined,
        async createAudience() {
          const { EventAudience } = await import("./events/event_audience.ts");
          return new EventAudience(service, transport, getLog(service));
        },
        async createCaller() {
          const [{ RpcCaller }, { rpcSettings }] = await Promise.all([
            import("./rpc/caller.ts"),
            import("./rpc/settings.ts"),
          ]);
          return new RpcCaller(transport, { caller: service, ...settings.of(rpcSettings) });
        },
      });
    },
    async entrypointsOf({ entrypoints: entries }) {
      const kinds = [...new Set(entries.map(({ kind }) => kind))];
      const loaded = await Promise.all(
        kinds.filter((kind) => Object.hasOwn(ENTRYPOINTS, kind) && !Object.hasOwn(entrypoints, kind))
          .map(async (kind) => [kind, await ENTRYPOINTS[kind]!(shared)] as const),
      );
      return { ...Object.fromEntries(loaded), ...entrypoints };
    },
    dependencies: answering({ ...setups(shared), ...dependencies }, shared.local),
    around,
    async close(limit) {
      const end = performance.now() + limit;
      if (!await within(limit, close())) log.warning(`Cannot close the HTTP server within ${limit} ms`);
      const left = Math.max(0, end - performance.now());
      await within(left + CLOSE_MARGIN, transport.close({ limit: left }));
    },
  };
}

/** Makes the threads' questions to the halves of dependencies reach these. */
function answering(
  setups: DependencyRegistry,
  local: Map<string, LocalAnswer>,
): DependencyRegistry {
  return Object.fromEntries(
    Object.entries(setups).map((
      [kind, setUp],
    ): [string, DependencySetup] => [kind, async (dependency, host) => {
      const half = await setUp(dependency, host);
      if (half?.answer === undefined) return half;
      const address = hostAddress(host.service, dependency.key);
      const answer: LocalAnswer = ({ body }, _service, { signal }) =>
        half.answer!(body, signal === undefined ? {} : { signal });
      local.set(address, answer);
      return {
        async [Symbol.asyncDispose]() {
          if (local.get(address) === answer) local.delete(address);
          await half[Symbol.asyncDispose]?.();
        },
      };
    }]),
  );
}

/** Milliseconds that a transport has to drop its connection, once it waits for the broker no longer. */
const CLOSE_MARGIN = 250;

/** The parts that the host halves have in common. */
interface Shared {
  readonly settings: Settings;
  readonly web: Lazy<Web>;
  readonly sockets: Lazy<SocketServer>;
  readonly hub: Lazy<Hub>;
  readonly streams: Lazy<StreamServer>;
  readonly messaging: MessagingWiring;
  /** Answers of this process itself, by the address of the request. */
  readonly local: Map<string, LocalAnswer>;
}

/** Gives what a service may use of the broker. */
function accessOf(settings: Settings, service: string): BrokerAccess {
  return new BrokerAccess(service, serviceSettings(settings.runtime, service).broker);
}

interface Web {
  readonly server: HttpServer;
  readonly openapi: OpenApiRoute | undefined;
}

function sharedParts(
  { settings, telemetry, containers, log }: WireOptions,
  /** Tells whether the broker is connected and sends the messages of all queues that are to be consumed. */
  isSupplied: () => boolean,
  /** Gives the transport. Nobody asks for it before it is connected. */
  transport: () => Transport,
): Shared {
  const local = new Map<string, LocalAnswer>();
  const wanted = () => [...containers().values()].filter(({ isWanted }) => isWanted);
  const isReady = () => {
    const services = wanted();
    return isSupplied() && services.length > 0 &&
      services.every(({ state, pool }) => state === "running" && pool.size > 0);
  };
  const manifests = () => wanted().map(({ manifest }) => manifest);
  const web = new Lazy(async () => {
    const [{ HttpServer }, { httpSettings }] = await Promise.all([
      import("./http/server.ts"),
      import("./http/settings.ts"),
    ]);
    const known = settings.of(httpSettings);
    const server = new HttpServer({
      ...known,
      log,
      ...(settings.runtime.telemetry && { trace: (given) => telemetry.traceRequest(given) }),
      isLogged: () => isLogged("info"),
      isReady,
    });
    if (known.openapi === undefined) return { server, openapi: undefined };
    const { OpenApiRoute } = await import("./http/openapi/route.ts");
    return { server, openapi: new OpenApiRoute(manifests, known.openapi, log) };
  });
  const hub = new Lazy(async () => {
    const [{ Hub }, { answerForHub }, { HUB_ADDRESS }] = await Promise.all([
      import("./websocket/hub/hub.ts"),
      import("./websocket/hub/hub_answer.ts"),
      import("./websocket/hub/hub_request.ts"),
    ]);
    const hub = new Hub();
    local.set(HUB_ADDRESS, (request) => answerForHub(hub, request));
    return hub;
  });
  const sockets = new Lazy(async () => {
    const [{ SocketServer }, { webSocketSettings }, { server }] = await Promise.all([
      import("./websocket/sockets/socket_server.ts"),
      import("./websocket/settings.ts"),
      web.get(),
    ]);
    return new SocketServer({ ...settings.of(webSocketSettings), server, hub: await hub.get(), log });
  });
  const streams = new Lazy(async () => {
    const [{ StreamServer }, { streamSettings }, { answerForConnections }, { CONNECTIONS_ADDRESS }] =
      await Promise
        .all([
          import("./stream/listening/stream_server.ts"),
          import("./stream/settings.ts"),
          import("./stream/calls/connections_answer.ts"),
          import("./stream/calls/connection_requests.ts"),
        ]);
    const server = new StreamServer(settings.of(streamSettings), log);
    local.set(CONNECTIONS_ADDRESS, (request, service) => answerForConnections(server, service, request));
    return server;
  });
  const messaging = new MessagingWiring({
    settings,
    accessOf: (service) => accessOf(settings, service),
    transport,
  });
  return { settings, web, sockets, hub, streams, messaging, local };
}

/** The built-in kinds of entrypoints. */
const ENTRYPOINTS: Readonly<Record<string, (shared: Shared) => Promise<EntrypointFactory>>> = {
  async rpc({ settings }) {
    const [{ RpcHost }, { rpcSettings }] = await Promise.all([
      import("./rpc/host.ts"),
      import("./rpc/settings.ts"),
    ]);
    const { exchange } = settings.of(rpcSettings);
    return (entries, host) => new RpcHost(entries, host, exchange);
  },
  async event(shared) {
    const [{ createEventHost, sourcesOf }, { eventSettings }] = await Promise.all([
      import("./events/host.ts"),
      import("./events/settings.ts"),
    ]);
    const known = shared.settings.of(eventSettings);
    return (entries, host) => {
      const access = accessOf(shared.settings, host.service);
      for (const exchange of sourcesOf(entries)) access.requireSource(exchange);
      return createEventHost(entries, host, known);
    };
  },
  consume: ({ messaging }) => messaging.loadConsume(),
  timer: loadTimers,
  cron: loadTimers,
  async http({ settings, web }) {
    const [{ HttpHost }, { httpSettings }, { server }] = await Promise.all([
      import("./http/host.ts"),
      import("./http/settings.ts"),
      web.get(),
    ]);
    const { maxBody, contextHeaders } = settings.of(httpSettings);
    return (entries, host) => new HttpHost(entries, host, server, maxBody, contextHeaders);
  },
  async websocket({ sockets }) {
    const [{ WebSocketHost }, server] = await Promise.all([import("./websocket/host.ts"), sockets.get()]);
    return (entries, host) => new WebSocketHost(entries, host, server);
  },
  async stream({ streams }) {
    const [{ StreamHost }, server] = await Promise.all([import("./stream/host.ts"), streams.get()]);
    return (entries, host) => new StreamHost(entries, host, server);
  },
};

async function loadTimers(): Promise<EntrypointFactory> {
  const { TimerHost } = await import("./timer/host.ts");
  return (entries, host) => new TimerHost(entries, host);
}

/** The built-in kinds of dependencies that need a setup in the main thread. */
function setups(
  { settings, hub, streams, messaging }: Shared,
): Readonly<Record<string, DependencySetup>> {
  return {
    async dispatcher(dependency, host) {
      const [{ setUpDispatcher }, { eventSettings }] = await Promise.all([
        import("./events/host.ts"),
        import("./events/settings.ts"),
      ]);
      await setUpDispatcher(dependency, host, settings.of(eventSettings));
    },
    ...messaging.dependencies,
    async websocketHub() {
      await hub.get();
    },
    async streamConnections() {
      await streams.get();
    },
  };
}

async function openTransport(
  { settings, broker, purpose, onUnreachable, willServeHttp, log, signal }: WireOptions,
  connection: { lost: boolean },
  { web }: Shared,
): Promise<Transport> {
  if (typeof broker === "object") return await connected(broker, signal);
  const inform = logStatus(log);
  const failed = Promise.withResolvers<never>();
  /** The process answers questions about its health while it waits for the broker. */
  const answerForHealth = async () => {
    const { server } = await web.get();
    await server.listenForHealth();
  };
  const opening = openBroker({
    purpose,
    settings,
    ...(broker !== undefined && { broker }),
    ...(onUnreachable && {
      onUnreachable(error: BrokerError, retryIn: number) {
        if (willServeHttp()) answerForHealth().catch(failed.reject);
        onUnreachable(error, retryIn);
      },
    }),
    onStatus(status: TransportStatus) {
      if (status.state === "lost") connection.lost = true;
      else if (status.state === "connected") connection.lost = false;
      inform(status);
    },
    onFallback: (message) => log.info(message),
    signal,
  });
  return await Promise.race([opening, failed.promise]);
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
