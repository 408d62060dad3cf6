/**
 * Connects services to a broker, and to the built-in extensions that they use.
 *
 * The host half of an extension is loaded when a manifest names one of its kinds, so a process pays only for what its
 * services use. The parts that all services of a process share (the HTTP server, the hub of the WebSockets) are made
 * when the first service needs them.
 */
import type { BrokerError } from "../runtime/message/errors.ts";
import type { DependencySetup, EntrypointFactory, EntrypointInterceptor } from "../runtime/hosting/host.ts";
import type { Manifest } from "../runtime/service/manifest.ts";
import type { Wiring } from "../runtime/serving/launcher.ts";
import { given } from "../runtime/message/plain.ts";
import { loadPayloads } from "../runtime/message/payload/payloads.ts";
import type { ServiceContainer } from "../runtime/serving/service_container.ts";
import type { Log } from "../runtime/log/log.ts";
import type { Telemetry } from "../runtime/telemetry/telemetry.ts";
import { getLog } from "../runtime/log/observe.ts";
import type { Transport, TransportStatus } from "../runtime/message/transport.ts";
import { measure, measureConnections } from "./measuring.ts";
import { type Clock, SYSTEM_CLOCK } from "../runtime/waiting/clock.ts";
import { within } from "../runtime/waiting/abort.ts";
import { Lazy } from "../runtime/waiting/lazy.ts";
import { serviceSettings } from "../runtime/serving/settings.ts";
import { connected, logStatus, openBroker } from "./broker.ts";
import { answering } from "./answering_halves.ts";
import { BrokerAccess } from "./broker_access.ts";
import { MessagingWiring } from "./messaging_wiring.ts";
import { loadHostHalf } from "./optional_halves.ts";
import { Readiness } from "./readiness.ts";
import type { ClientGuards } from "./rpc/resilience/guards.ts";
import { type LocalAnswer, ServiceMessenger } from "./service_messenger.ts";
import type { Settings } from "./settings.ts";
import type { Hub } from "./websocket/hub/hub.ts";
import type { StreamServer } from "./stream/listening/stream_server.ts";
import { createWeb, openHealth, type Web, type WebOptions } from "./web.ts";
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
  /** Kinds of entrypoints whose code is loaded before a manifest names them. */
  readonly expectedKinds: readonly string[];
  readonly onUnreachable?: (error: BrokerError, retryIn: number) => void;
  /** @default {every entrypoint is hosted as its kind has it} */
  readonly intercept?: EntrypointInterceptor | undefined;
  /** The clock of the services. @default {the clock of the machine} */
  readonly clock: Clock | undefined;
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
  const { settings, telemetry, containers, log, clock = SYSTEM_CLOCK } = options;
  const { entrypoints, dependencies, around } = settings.extensions;
  const readiness = new Readiness(containers);
  const webOptions: WebOptions = {
    settings,
    telemetry,
    manifests: () =>
      [...containers().values()].filter(({ isWanted }) => isWanted).map(({ manifest }) => manifest),
    unready: () => readiness.reasons,
    log,
  };
  const shared = sharedParts(options, webOptions, () => readiness.transport!);
  for (const kind of options.expectedKinds) {
    // Whoever needs it meets the same failure.
    if (Object.hasOwn(ENTRYPOINTS, kind)) void ENTRYPOINTS[kind]!(shared).catch(() => {});
  }
  if (settings.runtime.telemetry !== undefined) {
    readiness.measure(telemetry.metrics);
    measureConnections(telemetry.metrics, shared);
  }
  const close = async () => {
    shared.messaging[Symbol.dispose]();
    const web = await shared.web.settled();
    // A service with HTTP entrypoints closes the server when it stops, but not when the process goes on.
    if (web !== undefined && !web.server.isClosing) await web.server.close();
  };
  /** What goes on to the end: it tells of the stop, too. */
  const watching = new AsyncDisposableStack();
  let transport: Transport;
  try {
    watching.use(await measure({ settings, telemetry, containers, log }));
    watching.use(await openHealth(webOptions));
    transport = readiness.transport = await openTransport(options, readiness, shared);
  } catch (error) {
    await close();
    await watching.disposeAsync();
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
      if (web === undefined) {
        if (settings.health.metrics !== undefined && settings.health.apart === undefined) {
          log.warning(
            "METRICS has no effect: no service here has HTTP entrypoints. Set HEALTH_ADDRESS, such as 127.0.0.1:9000",
          );
        }
        return;
      }
      // What has started again has rules of its own now.
      web.server.remove(({ service, isPaused }) =>
        isPaused === true && containers().get(service)?.state === "running"
      );
      for (const document of web.documents) document.addTo(web.server);
      await web.server.listen();
    },
    messengerOf(service) {
      const access = accessOf(settings, service);
      return new ServiceMessenger({
        service,
        transport,
        local: shared.local,
        guards: shared.guards,
        clock,
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
          return new RpcCaller(transport, { caller: service, ...settings.of(rpcSettings), clock });
        },
      });
    },
    async entrypointsOf(manifest) {
      const load = async (entries: Manifest["entrypoints"]) => {
        const kinds = [...new Set(entries.map(({ kind }) => kind))];
        const loaded = await Promise.all(
          kinds.filter((kind) => Object.hasOwn(ENTRYPOINTS, kind) && !Object.hasOwn(entrypoints, kind))
            .map(async (kind) => [kind, await ENTRYPOINTS[kind]!(shared)] as const),
        );
        return { ...Object.fromEntries(loaded), ...entrypoints };
      };
      return await (options.intercept?.(manifest, load) ?? load(manifest.entrypoints));
    },
    dependencies: answering({ ...setups(shared), ...dependencies }, shared.local, settings),
    around,
    async close(limit) {
      const end = performance.now() + limit;
      if (!await within(limit, close())) log.warning(`Cannot close the HTTP server within ${limit} ms`);
      const left = Math.max(0, end - performance.now());
      await within(left + CLOSE_MARGIN, transport.close({ limit: left }));
      await within(Math.max(WATCH_LIMIT, end - performance.now()), watching.disposeAsync());
    },
  };
}

/** Milliseconds that a transport has to drop its connection, once it waits for the broker no longer. */
const CLOSE_MARGIN = 250;

/** Milliseconds that the last numbers may take to be reported, whatever is left of the time for stopping. */
const WATCH_LIMIT = 1_500;

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
  /** The policies of clients, by the address of their dependency. */
  readonly guards: ClientGuards;
}

/** Gives what a service may use of the broker. */
function accessOf(settings: Settings, service: string): BrokerAccess {
  return new BrokerAccess(service, serviceSettings(settings.runtime, service).broker);
}

function sharedParts(
  { settings, log, clock = SYSTEM_CLOCK }: WireOptions,
  webOptions: WebOptions,
  /** Gives the transport. Nobody asks for it before it is connected. */
  transport: () => Transport,
): Shared {
  const local = new Map<string, LocalAnswer>();
  const web = new Lazy(() => createWeb(webOptions));
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
    const server = new StreamServer(settings.of(streamSettings), log, settings.place?.share);
    local.set(CONNECTIONS_ADDRESS, (request, service) => answerForConnections(server, service, request));
    return server;
  });
  const messaging = new MessagingWiring({
    settings,
    accessOf: (service) => accessOf(settings, service),
    transport,
    clock,
  });
  return { settings, web, sockets, hub, streams, messaging, local, guards: new Map() };
}

/** The built-in kinds of entrypoints. */
const ENTRYPOINTS: Readonly<Record<string, (shared: Shared) => Promise<EntrypointFactory>>> = {
  async rpc({ settings }) {
    const [{ RpcHost }, { rpcSettings }, payloads] = await Promise.all([
      import("./rpc/host.ts"),
      import("./rpc/settings.ts"),
      loadPayloads(settings.runtime.payloads),
    ]);
    const { exchange } = settings.of(rpcSettings);
    return (entries, host) => new RpcHost(entries, host, exchange, payloads);
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
      const { place } = shared.settings;
      const among = place && { index: place.share.index, takesOver: !place.ownShare.isFirst };
      return createEventHost(entries, host, known, among);
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
  async redis() {
    const { SubscriptionHost } = await loadHostHalf<typeof import("./redis/host.ts")>("redis");
    return (entries, host) => new SubscriptionHost(entries, host);
  },
  async stream({ streams }) {
    const [{ StreamHost }, server] = await Promise.all([import("./stream/host.ts"), streams.get()]);
    return (entries, host) => new StreamHost(entries, host, server);
  },
  async bayeux() {
    const { BayeuxHost } = await import("./bayeux/host.ts");
    return (entries, host) => new BayeuxHost(entries, host);
  },
};

async function loadTimers(): Promise<EntrypointFactory> {
  const { TimerHost } = await import("./timer/host.ts");
  return (entries, host) => new TimerHost(entries, host);
}

/** The built-in kinds of dependencies that need a setup in the main thread. */
function setups(
  { settings, hub, streams, messaging, guards }: Shared,
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
    async client(dependency, host) {
      const { setUpGuard } = await import("./rpc/resilience/guards.ts");
      return setUpGuard(dependency, host, guards);
    },
    async websocketHub() {
      await hub.get();
    },
    async streamConnections() {
      await streams.get();
    },
  };
}

async function openTransport(
  { settings, broker, purpose, onUnreachable, willServeHttp, clock, log, signal }: WireOptions,
  { onStatus: observe }: Readiness,
  { web }: Shared,
): Promise<Transport> {
  if (typeof broker === "object") return await connected(broker, { signal });
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
    ...given({ broker, clock }),
    ...(onUnreachable && {
      onUnreachable(error: BrokerError, retryIn: number) {
        // Where others serve already, requests are to go to them.
        if (willServeHttp() && settings.place?.share.isFirst !== false) {
          answerForHealth().catch(failed.reject);
        }
        onUnreachable(error, retryIn);
      },
    }),
    onStatus(status: TransportStatus) {
      observe(status);
      inform(status);
    },
    onFallback: (message) => log.info(message),
    signal,
  });
  return await Promise.race([opening, failed.promise]);
}
