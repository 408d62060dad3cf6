/** The start of services: settings, wiring and the set of services are put together here. */
import { setImmediate as nextTurn } from "node:timers/promises";
import { within } from "../runtime/waiting/abort.ts";
import { settingsOfOthers } from "../runtime/serving/settings.ts";
import type { Settings } from "./settings.ts";
import type { EntrypointInterceptor } from "../runtime/hosting/host.ts";
import type { BrokerError } from "../runtime/message/errors.ts";
import type { Log, LogLevel } from "../runtime/log/log.ts";
import { didYouMean, nearestNames } from "../runtime/service/options/nearest_names.ts";
import { ensureLogging, getLog } from "../runtime/log/observe.ts";
import type { FileWatchOptions } from "../runtime/serving/file_watch.ts";
import type { BegunModule } from "../runtime/serving/loading/begun_module.ts";
import type { ReloadOnChange } from "../runtime/serving/reload_on_change.ts";
import { logCalls } from "../runtime/telemetry/call_log.ts";
import { takesSpans } from "../runtime/telemetry/otel/switch.ts";
import { Telemetry } from "../runtime/telemetry/telemetry.ts";
import type { ServiceContainer } from "../runtime/serving/service_container.ts";
import { type Progress, ServiceSet } from "../runtime/serving/service_set.ts";
import {
  type ServiceOrModule,
  type ServiceSource,
  serviceSource,
} from "../runtime/serving/service_source.ts";
import type { Clock } from "../runtime/waiting/clock.ts";
import type { Transport } from "../runtime/message/transport.ts";
import type { Wired, WireOptions } from "./wiring.ts";
import type { ControlChannel, ControlChannelOptions } from "./control_channel.ts";

/** Options of {@linkcode serve}. */
export interface ServeOptions {
  /**
   * URI of the broker, or a transport of your own, which is connected at the start and closed at the end.
   *
   * @default {the broker that the configuration names, else RabbitMQ on localhost, else `local:`}
   */
  readonly broker?: string | Transport;
  /** Path or URL of a `deno.json` or an import map, for the bare names of modules. @default {the `deno.json` of the module} */
  readonly importMap?: string;
  /** Whether modules are bundled even if Deno itself could load them. @default {false} */
  readonly bundle?: boolean;
  /**
   * Least severe level of the log. It has no effect if the program has configured LogTape itself, whose levels then
   * count. @default {"info"}
   */
  readonly logLevel?: LogLevel;
  /**
   * Whether services are reloaded when a local file of their module changes, and how long to wait for further
   * changes. `onProgress` is told about each reload.
   *
   * @default {false}
   */
  readonly watch?: boolean | FileWatchOptions;
  /** Called for each step of the start. */
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Called after each failed attempt to reach a named broker, with the milliseconds until the next attempt. Without
   * this function, the first failure is thrown.
   */
  readonly onUnreachable?: (error: BrokerError, retryIn: number) => void;
  /**
   * Tells the time that decides what the services do, such as a `testClock()`: timers, delayed retries, expirations of
   * the broker in this process, time limits of calls, rates and caches. Brokers and databases outside of this process
   * keep their own time, and so do threads that are not inline.
   *
   * @default {the clock of the machine}
   */
  readonly clock?: Clock;
  /** Aborting stops the start. */
  readonly signal?: AbortSignal;
}

/** Services that run, with their broker. Disposing it stops them politely. */
export interface Running extends AsyncDisposable {
  /** The services by name. */
  readonly containers: ReadonlyMap<string, ServiceContainer>;
  /** The connection to the broker. */
  readonly transport: Transport;
  /** URL of the HTTP server; undefined if no service has HTTP entrypoints. */
  readonly http: string | undefined;
  /** The addresses that streams listen on, such as `tcp://0.0.0.0:7007`. */
  readonly streams: readonly string[];
  /**
   * Settles when all services have ended because they were shut down together, and rejects with the first failure. A
   * service that was stopped alone is no end: it may start again.
   */
  readonly finished: Promise<void>;
  /**
   * Loads modules again and continues with the new version of their services.
   *
   * New calls go to new threads, and the old threads finish their calls. If the reload fails, the former version
   * continues. The configuration is not read again.
   *
   * @param module One of the modules that are served. @default {all of them}
   * @returns Names of the services.
   * @throws {ServiceLoadError} If a module does not load, or lacks a service that is served from it.
   * @throws {TypeError} If the module is not served, or its threads are inline.
   */
  reload(module?: string | URL, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /** Stops politely, within the configured `grace`. Aborting `signal` stops at once. Idempotent. */
  shutdown(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/** Running services to which others can be added. */
export interface Serving extends Running {
  /**
   * Serves something more. If it cannot be served, the other services go on without it.
   *
   * @returns The containers of its services, when they run.
   */
  add(added: ServiceOrModule): Promise<readonly ServiceContainer[]>;
}

/** Options of {@linkcode serve} that only the testing door and the command line use. */
export interface WatchedServeOptions extends ServeOptions {
  /** Kinds of entrypoints that the services will have, as far as they are known. Their code loads with the modules. */
  readonly expectedKinds?: readonly string[];
  /** The first of the modules, if it has begun before. @default {it begins now} */
  readonly begun?: BegunModule | undefined;
  /** Takes the calls in place of the kinds of entrypoints. @default {nothing does} */
  readonly intercept?: (telemetry: Telemetry) => EntrypointInterceptor;
}

/** Serves services under settings that have been read. See `run()`. */
export async function serve(
  given: readonly ServiceOrModule[],
  settings: Settings,
  {
    broker,
    importMap,
    bundle = false,
    logLevel,
    watch = false,
    onProgress = () => {},
    onUnreachable,
    expectedKinds = [],
    begun,
    intercept,
    clock,
    signal,
  }: WatchedServeOptions = {},
): Promise<Serving> {
  const sourceOf = (each: ServiceOrModule) => serviceSource(each, settings.runtime.threadKind);
  const sources = given.map(sourceOf);
  ensureLogging(logLevel);
  const log = getLog();
  // One process of several tells them.
  if (settings.place?.share.isFirst !== false) { for (const remark of settings.remarks) log.warning(remark); }
  const { telemetry: wanted } = settings.runtime;
  const telemetry = new Telemetry(wanted);
  if (wanted !== undefined) {
    logCalls(telemetry, wanted.logsCalls);
    if (takesSpans()) await exportSpans(telemetry);
  }
  const reporter = await reportFailures(settings, telemetry);
  const failing = new AbortController();
  const either = AbortSignal.any([failing.signal, ...(signal === undefined ? [] : [signal])]);
  const current: { services?: ServiceSet } = {};
  let willServeHttp = false;
  const wiring = loadWiring({
    settings,
    telemetry,
    purpose: sources.map(shortName).join(", ") || "runner",
    ...(broker !== undefined && { broker }),
    containers: () => current.services?.containers ?? new Map(),
    willServeHttp: () => willServeHttp,
    expectedKinds,
    ...(onUnreachable && { onUnreachable }),
    intercept: intercept?.(telemetry),
    clock,
    log,
    signal: either,
  });
  // Modules load in the meantime. If the wiring fails, they load for nothing, so the start gives up.
  wiring.catch((error) => failing.abort(error));
  const loadingControl = wiring.then(() => import("./control_channel.ts"));
  loadingControl.catch(() => {});
  const listen = async () => (await wiring).listen();
  try {
    const since = Date.now();
    const services = current.services = new ServiceSet({
      wiring,
      config: settings.config,
      settings: settings.runtime,
      telemetry,
      clock,
      details: settings.describesServices,
      loading: { bundle, ...(importMap !== undefined && { importMap }) },
      begun,
      listen,
      awaitsReload: watch !== false,
      onProgress: (progress) => {
        if (progress.step === "loaded") {
          willServeHttp ||= progress.kinds.has("http") || progress.kinds.has("websocket");
        }
        // The new version may have the first HTTP entrypoint of the process.
        if (progress.step === "reloaded") listen().catch(({ message }) => log.error(message));
        onProgress(progress);
      },
    });
    await services.serve(sources, { signal: either });
    warnOfUnusedSettings(settings, services, log);
    const watching = watch === false ? undefined : await reloadOnChange(services, {
      ...(watch === true ? {} : watch),
      since,
      log,
      onFailure: (module, error) => onProgress({ step: "not reloaded", module, error }),
    });
    const add = async (added: ServiceOrModule) => {
      const since = Date.now();
      const source = sourceOf(added);
      const containers = await services.serve([source]);
      if (source.inline === undefined) watching?.follow(source.url, since);
      return containers;
    };
    const wired = await wiring;
    const { containers } = services;
    const control = answerOnControl(loadingControl, {
      settings,
      transport: wired.transport,
      containers,
      telemetry: wanted === undefined ? undefined : telemetry,
      log,
    });
    return serving(services, add, wired, watching, control, reporter, settings.runtime.grace);
  } catch (error) {
    // Nobody needs the broker any more, even if the wiring still waits for it.
    failing.abort(error);
    const wired = await wiring.catch(() => undefined);
    await wired?.close(CLOSE_LIMIT);
    await reporter?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** Names a source by the last part of its path and its service. The rest of a URL may be secret. */
function shortName({ url, service, inline }: ServiceSource): string {
  if (inline !== undefined) return inline.name;
  const file = /([^/?#]*)\/?(?:[?#].*)?$/.exec(url)?.[1] ?? "";
  return service === undefined ? file : `${file}:${service}`;
}

/** Warns of settings for services that are not served. */
function warnOfUnusedSettings({ runtime }: Settings, { containers }: ServiceSet, log: Log): void {
  for (const [name, where] of settingsOfOthers(runtime, containers)) {
    // Many processes may share one file, so only a name that is close to one served here is told.
    const meant = nearestNames(name, containers.keys());
    if (meant.length === 0) continue;
    log.warning(`No service here has the name in ${where}, so that it has no effect${didYouMean(meant)}`);
  }
}

/** Makes OpenTelemetry name the spans of the calls. The log goes along as long as the process lives. */
async function exportSpans(telemetry: Telemetry): Promise<void> {
  const [{ CallSpans }, { exportLog }] = await Promise.all([
    import("./otel/call_spans.ts"),
    import("./otel/exported_log.ts"),
  ]);
  telemetry.tracer = new CallSpans();
  exportLog();
}

/** Reports the failures of calls until the result is disposed of; does nothing without a place to report to. */
async function reportFailures(
  { sentry }: Settings,
  telemetry: Telemetry,
): Promise<AsyncDisposable | undefined> {
  if (sentry === undefined) return undefined;
  const { SentryReporter } = await import("./sentry/reporter.ts");
  return new SentryReporter(sentry, telemetry, getLog());
}

async function reloadOnChange(
  ...watched: ConstructorParameters<typeof ReloadOnChange>
): Promise<ReloadOnChange> {
  const { ReloadOnChange } = await import("../runtime/serving/reload_on_change.ts");
  return new ReloadOnChange(...watched);
}

/** The wiring takes as long to load as a module does. So it loads beside the module, after the first thread has begun. */
async function loadWiring(options: WireOptions): Promise<Wired> {
  await nextTurn();
  const { wire } = await import("./wiring.ts");
  return await wire(options);
}

/** Answers on the control channel, which nothing waits for. Disposing it does not wait for the broker. */
function answerOnControl(
  module: Promise<typeof import("./control_channel.ts")>,
  options: ControlChannelOptions,
): AsyncDisposable {
  let isOver = false;
  let channel: ControlChannel | undefined;
  const loading = module.then(({ ControlChannel }) => {
    if (isOver) return;
    channel = new ControlChannel(options);
    void channel.start();
  }).catch((error) => {
    options.log.warning(`Cannot load the control channel: ${error.message}`);
  });
  return {
    async [Symbol.asyncDispose]() {
      isOver = true;
      await loading;
      await channel?.[Symbol.asyncDispose]();
    },
  };
}

/** Milliseconds that the broker and the HTTP server have to close when there is no grace left. */
const CLOSE_LIMIT = 1_000;

function serving(
  services: ServiceSet,
  add: Serving["add"],
  wired: Wired,
  watching: AsyncDisposable | undefined,
  control: AsyncDisposable,
  reporter: AsyncDisposable | undefined,
  grace: number,
): Serving {
  let graceEnd: number | undefined;
  let closing: Promise<void> | undefined;
  const close = () =>
    closing ??= (async () => {
      const now = performance.now();
      const left = Math.max(CLOSE_LIMIT, (graceEnd ?? now + grace) - now);
      if (watching !== undefined) await within(left, Promise.resolve(watching[Symbol.asyncDispose]()));
      await control[Symbol.asyncDispose]();
      await wired.close(Math.max(CLOSE_LIMIT, left - (performance.now() - now)));
      await reporter?.[Symbol.asyncDispose]();
    })();
  const shutdown = async (options?: { readonly signal?: AbortSignal }) => {
    graceEnd ??= performance.now() + grace;
    void watching?.[Symbol.asyncDispose]();
    await services.shutdown(options);
    if (options?.signal?.aborted) graceEnd = performance.now();
    await close();
  };
  const finished = services.finished.finally(close);
  finished.catch(() => {});
  return {
    containers: services.containers,
    transport: wired.transport,
    get http() {
      return wired.http;
    },
    get streams() {
      return wired.streams;
    },
    finished,
    add,
    reload: (module, options) => services.reload(module, options),
    shutdown,
    [Symbol.asyncDispose]: () => shutdown(),
  };
}
