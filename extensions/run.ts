/** The composition root: every built-in extension, and a broker. */
import { setImmediate as nextTurn } from "node:timers/promises";
import type { Config } from "../runtime/config/file.ts";
import type { ConfigValue } from "../runtime/config/yaml.ts";
import { settingsOfOthers, type ThreadSettings } from "../runtime/serving/settings.ts";
import { Settings } from "./settings.ts";
import type { Container } from "../runtime/serving/container.ts";
import type { BrokerError } from "../runtime/message/errors.ts";
import type { DependencyRegistry, EntrypointRegistry } from "../runtime/hosting/host.ts";
import type { ThreadPlan } from "../runtime/spawning/create_spawner.ts";
import type { LogLevel } from "../runtime/log/log.ts";
import type { PoolLimits } from "../runtime/pool/pool_options.ts";
import { ensureLogging, getLog } from "../runtime/log/observe.ts";
import type { FileWatchOptions } from "../runtime/serving/file_watch.ts";
import { ReloadOnChange } from "../runtime/serving/reload_on_change.ts";
import { type Progress, Runner } from "../runtime/serving/runner.ts";
import type { Transport } from "../runtime/message/transport.ts";
import type { Wired, WireOptions } from "./wiring.ts";

export { connect, type Connection, type ConnectOptions } from "./connect.ts";
export type {
  Config,
  ConfigValue,
  Container,
  FileWatchOptions,
  LogLevel,
  PoolLimits,
  Progress,
  Runner,
  ThreadPlan,
  Transport,
};

/** Options of {@linkcode run}. */
export interface RunOptions {
  /** A configuration with Nameko's keys. @default {{}} */
  readonly config?: Config;
  /**
   * URI of the broker, or a transport of your own, which is connected here and closed at the end.
   *
   * @default {what the configuration names, else RabbitMQ on localhost, else `local:`}
   */
  readonly broker?: string | Transport;
  /** Permissions, kind and limits of the threads of all services. @default {no permissions} */
  readonly threads?: ThreadSettings;
  /** Entrypoint kinds beside the built-in ones. @default {{}} */
  readonly entrypoints?: EntrypointRegistry;
  /** Dependency kinds beside the built-in ones. @default {{}} */
  readonly dependencies?: DependencyRegistry;
  /** Path or URL of a `deno.json` or an import map, for the bare names of modules. @default {that of the module} */
  readonly importMap?: string;
  /** Whether modules are bundled where Deno itself could load them, too. @default {false} */
  readonly bundle?: boolean;
  /** @default {"info"} */
  readonly logLevel?: LogLevel;
  /**
   * Whether services are reloaded when a local file of their module changes, and how long to wait for more such
   * changes. What came of it is told to `onProgress`.
   *
   * @default {false}
   */
  readonly watch?: boolean | FileWatchOptions;
  readonly onProgress?: (progress: Progress) => void;
  /**
   * Called after each attempt to reach a named broker that does not answer, with the milliseconds until the
   * next. Without it, the first failure is thrown.
   */
  readonly onUnreachable?: (error: BrokerError, retryIn: number) => void;
  /** Aborting stops the start. */
  readonly signal?: AbortSignal;
}

/** Services that run, with their broker. Disposing it stops them politely. */
export interface Running extends AsyncDisposable {
  readonly containers: ReadonlyMap<string, Container>;
  readonly transport: Transport;
  /** URL at which HTTP entrypoints are served; undefined where there are none. */
  readonly http: string | undefined;
  /** Settles when all have ended; rejects with the first failure. */
  readonly finished: Promise<void>;
  /**
   * Loads modules anew and goes on with their services as they are now: new calls go to new threads, old ones finish
   * their calls. Where that fails, the former version goes on. What the configuration says stays as it was.
   *
   * @param module One of those that are served. @default {all}
   * @returns Names of the services.
   * @throws {ServiceLoadError} If a module does not load, or lacks a service that is served from it.
   * @throws {TypeError} If the module is not served, or its threads are inline.
   */
  reload(module?: string | URL, options?: { readonly signal?: AbortSignal }): Promise<readonly string[]>;
  /** Stops politely, within the configured `grace`; aborting `signal` stops at once. Idempotent. */
  shutdown(options?: { readonly signal?: AbortSignal }): Promise<void>;
}

/**
 * Serves the services of some modules; resolves when all are serving.
 *
 * @param modules Paths or URLs; `:name` behind one picks one of its services.
 * @throws {ServiceLoadError} If a module does not load or exports no service.
 * @throws {BrokerError} If the broker cannot be reached.
 *
 * @example
 * ```ts
 * await using running = await run(["./greeting.ts"], { broker: "amqp://localhost" });
 * await running.finished;
 * ```
 */
export async function run(
  modules: readonly (string | URL)[],
  {
    config = {},
    broker,
    threads,
    entrypoints = {},
    dependencies = {},
    importMap,
    bundle = false,
    logLevel,
    watch = false,
    onProgress = () => {},
    onUnreachable,
    signal,
  }: RunOptions = {},
): Promise<Running> {
  ensureLogging();
  const log = getLog();
  const settings = await Settings.read(config, threads);
  for (const remark of settings.remarks) log.warning(remark);
  const failing = new AbortController();
  const either = AbortSignal.any([failing.signal, ...(signal === undefined ? [] : [signal])]);
  const current: { runner?: Runner } = {};
  let willServeHttp = false;
  const wiring = loadWiring({
    settings,
    ...(broker !== undefined && { broker }),
    entrypoints,
    dependencies,
    containers: () => current.runner?.containers ?? new Map(),
    willServeHttp: () => willServeHttp,
    ...(onUnreachable && { onUnreachable }),
    log,
    signal: either,
  });
  // Modules load meanwhile, for nothing then.
  wiring.catch((error) => failing.abort(error));
  try {
    const since = Date.now();
    const runner = current.runner = await Runner.start(modules, {
      wiring,
      config,
      settings: settings.runtime,
      details: settings.describesRoutes,
      loading: { bundle, ...(importMap !== undefined && { importMap }) },
      ...(threads?.kind && { threadKind: threads.kind }),
      ...(logLevel && { logLevel }),
      onProgress: (progress) => {
        if (progress.step === "loaded") {
          willServeHttp ||= progress.kinds.has("http") || progress.kinds.has("websocket");
        }
        // The first rule of all may have come with the new version.
        if (progress.step === "reloaded") {
          wiring.then(({ listen }) => listen()).catch(({ message }) => log.error(message));
        }
        onProgress(progress);
      },
      signal: either,
    });
    for (const key of settingsOfOthers(settings.runtime, runner.containers)) {
      log.warning(
        `No service here has the name in ${key}, so that it has no effect. Check it if that is wrong`,
      );
    }
    const wired = await wiring;
    try {
      await wired.listen();
    } catch (error) {
      await runner.shutdown();
      throw error;
    }
    const watching = watch === false ? undefined : new ReloadOnChange(runner, {
      ...(watch === true ? {} : watch),
      since,
      log,
      onFailure: (module, error) => onProgress({ step: "not reloaded", module, error }),
    });
    return running(runner, wired, watching);
  } catch (error) {
    // A broker that is still looked for is wanted no more.
    failing.abort(error);
    const wired = await wiring.catch(() => undefined);
    await wired?.[Symbol.asyncDispose]();
    throw error;
  }
}

/** It takes as long to load as a module does, so it loads beside it, once the thread for that has been begun. */
async function loadWiring(options: WireOptions): Promise<Wired> {
  await nextTurn();
  const { wire } = await import("./wiring.ts");
  return await wire(options);
}

function running(runner: Runner, wired: Wired, watching: AsyncDisposable | undefined): Running {
  const close = async () => {
    await watching?.[Symbol.asyncDispose]();
    await wired[Symbol.asyncDispose]();
  };
  const shutdown = async (options?: { readonly signal?: AbortSignal }) => {
    await Promise.all([watching?.[Symbol.asyncDispose](), runner.shutdown(options)]);
    await close();
  };
  const finished = runner.finished.finally(close);
  finished.catch(() => {});
  return {
    containers: runner.containers,
    transport: wired.transport,
    get http() {
      return wired.http;
    },
    finished,
    reload: (module, options) => runner.reload(module, options),
    shutdown,
    [Symbol.asyncDispose]: () => shutdown(),
  };
}
