import { isTexts } from "../../../runtime/message/plain.ts";
import { ServiceLoadError } from "../../../runtime/message/errors.ts";
import { parseModuleSpecifier } from "../../../runtime/module/specifier.ts";
import { setImmediate as nextTurn } from "node:timers/promises";
import {
  configureLogging,
  type ConfigureLoggingOptions,
  emitRecord,
  getLog,
} from "../../../runtime/log/observe.ts";
import { BegunModule } from "../../../runtime/serving/loading/begun_module.ts";
import { loadingPlan } from "../../../runtime/serving/loading/thread_plan.ts";
import { takesSpans } from "../../../runtime/telemetry/otel/switch.ts";
import type { CommandIo } from "../command_io.ts";
import type { Running, WatchedServeOptions } from "../../serve.ts";
import { Settings } from "../../settings.ts";
import { requireModuleFiles } from "../flags/module_files.ts";
import { readRunConfig, type RunFlags } from "../flags/run_config.ts";
import { logAsConfigured } from "../view/configured_log.ts";
import { PROCESS_ORDER } from "../processes/process_order.ts";
import type { Supervised } from "../processes/supervised.ts";
import { readyReport } from "../view/ready_report.ts";
import { reportingFailure } from "../view/reporting_failure.ts";
import { RunView } from "../view/run_view.ts";
import { StopRequests } from "./stop_requests.ts";

/** What another command does while modules are served. */
export interface RunHooks {
  /** Called once the process has all flags of Deno that it needs. */
  readonly onBegin: () => void;
  /** Called when the services answer calls. They are stopped when it resolves. */
  readonly onReady: (serving: Running, settings: Settings, signal: AbortSignal) => Promise<void>;
}

/** Serves modules until a signal arrives. A second signal aborts the stop. */
export async function runCommand(
  modules: readonly string[],
  flags: RunFlags,
  outer: CommandIo,
  hooks?: RunHooks,
): Promise<number> {
  const done = await outer.startOver(modules[0]);
  if (done !== undefined) return done;
  hooks?.onBegin();
  const { logLevel, logFormat } = flags;
  const order = Deno.env.get(PROCESS_ORDER);
  const supervised = order === undefined
    ? undefined
    : await (await import("../processes/supervised.ts")).Supervised.connect(order);
  const io = supervised?.io(outer) ?? outer;
  const view = new RunView(io, logFormat ?? "pretty", supervised !== undefined);
  const plain: ConfigureLoggingOptions = {
    level: logLevel ?? "info",
    format: logFormat ?? "pretty",
    colors: io.colors,
    write: (line) => view.log(line),
  };
  configureLogging(plain);
  const serve = () => serveModules(modules, flags, { io, view, plain, supervised, hooks });
  // Programs read such a log, and nothing else.
  return await (logFormat === "json" ? reportingFailure((text) => getLog().error(text), serve) : serve());
}

/** What {@linkcode serveModules} uses beside its flags. */
interface RunMeans {
  readonly io: CommandIo;
  readonly view: RunView;
  readonly plain: ConfigureLoggingOptions;
  readonly supervised: Supervised | undefined;
  readonly hooks: RunHooks | undefined;
}

async function serveModules(
  modules: readonly string[],
  flags: RunFlags,
  { io, view, plain, supervised, hooks }: RunMeans,
): Promise<number> {
  const { broker, watch = false } = flags;
  const { config, file } = await readRunConfig(flags, io, {
    onFound: (file) => view.say(`Using ${file}`),
    // The supervisor has told it, or the user has not asked for threads.
    ...((supervised ?? hooks) !== undefined && { onLoss() {} }),
  });
  const settings = await Settings.read(config, {
    extensions: io.extensions,
    ...(flags.importMap !== undefined && { importMap: flags.importMap }),
    ...(supervised && { place: supervised.place }),
  });
  using logging = await logAsConfigured(settings.logging, plain, flags, io);
  await requireModuleFiles(modules);
  const extensions = isTexts(config["extensions"]) ? config["extensions"] : [];
  if (io.env.get("OTEL_DENO") === "true" && !takesSpans()) {
    getLog().warning(
      "OTEL_DENO has no effect in this binary: OpenTelemetry is on in binaries that were made with " +
        "enoki compile --otel",
    );
  }
  const { processes } = settings.runtime;
  if (processes !== undefined && supervised === undefined && hooks === undefined) {
    const { supervise } = await import("../processes/supervise.ts");
    return await supervise(processes, { settings, watch, io, view });
  }
  using stop = new StopRequests(io);
  // A watch must see each change since the modules began to load, and it begins with the services.
  await using begun = watch ? undefined : await beginModule(modules[0]!, flags, settings, stop.first);
  const { serve } = await import("../../serve.ts");
  await using _watching = watch
    ? await watchConfig(
      file,
      modules,
      extensions,
      (changed) => view.say(`${changed} has changed. Restart to use it: only a start reads it`),
    )
    : undefined;
  const service = serveUntilStopped(
    (options) => serve(modules, settings, options),
    modules,
    {
      ...(broker !== undefined && { broker }),
      ...(flags.importMap !== undefined && { importMap: flags.importMap }),
      watch,
      onProgress: (progress) => view.progress(progress),
      onUnreachable: (error, retryIn) => view.unreachable(error, retryIn),
      ...(io.application && { expectedKinds: io.application.kinds }),
      begun,
    },
    stop,
    view,
    settings.runtime.grace,
    (serving) => {
      if (supervised === undefined) view.ready(readyReport(serving));
      else supervised.ready(readyReport(serving));
      logging?.remarkOn(serving.containers.keys());
      return hooks?.onReady(serving, settings, stop.first);
    },
  );
  await Promise.race([service, stop.aborted(view, service)]);
  return stop.status;
}

/** Lets the first thread begin, which takes time. The code that serves the module loads meanwhile. */
async function beginModule(
  module: string,
  { importMap }: RunFlags,
  { runtime }: Settings,
  signal: AbortSignal,
): Promise<BegunModule> {
  const specifier = parseModuleSpecifier(module);
  const begun = new BegunModule(specifier, {
    ...loadingPlan(runtime, specifier),
    ...(importMap !== undefined && { importMap }),
    onLog: emitRecord,
    signal,
  });
  await nextTurn();
  return begun;
}

async function watchConfig(
  file: string | undefined,
  modules: readonly string[],
  extensions: readonly string[],
  onChange: (changed: string) => void,
): Promise<AsyncDisposable> {
  const { ConfigWatch, denoConfigsOf } = await import("../flags/config_watch.ts");
  const files = [...(file === undefined ? [] : [file]), ...denoConfigsOf([...modules, ...extensions])];
  return new ConfigWatch(files, extensions, onChange);
}

async function serveUntilStopped(
  serve: (options: WatchedServeOptions) => Promise<Running>,
  modules: readonly string[],
  options: WatchedServeOptions,
  stop: StopRequests,
  view: RunView,
  grace: number,
  onReady: (serving: Running) => Promise<void> | undefined,
): Promise<void> {
  const serving = await startServing(serve, modules, options, stop.first, view);
  if (serving === undefined) return view.say("Stopped before anything was served");
  try {
    const over = onReady(serving);
    await Promise.race([serving.finished, stop.requested, ...over === undefined ? [] : [over]]);
    if (stop.first.aborted) view.stopping(serving, grace);
  } finally {
    await serving.shutdown({ signal: stop.second });
  }
  if (stop.second.aborted) return;
  view.say("Stopped");
  // A service that was given up while the others went on makes the run a failure.
  await serving.finished;
}

/**
 * Starts to serve. Returns undefined if `signal` has stopped the start. With `watch`, a module that does not
 * load may be repaired: then the start waits for a change and tries again.
 */
async function startServing(
  serve: (options: WatchedServeOptions) => Promise<Running>,
  modules: readonly string[],
  options: WatchedServeOptions,
  signal: AbortSignal,
  view: RunView,
): Promise<Running | undefined> {
  while (true) {
    const since = Date.now();
    try {
      view.starting();
      return await serve({ ...options, signal });
    } catch (error) {
      view.clear();
      if (signal.aborted) return undefined;
      if (!options.watch || !(error instanceof ServiceLoadError)) throw error;
      view.notStarted(error);
      const urls = modules.map((module) => parseModuleSpecifier(module).url);
      const { moduleChange } = await import("../../../runtime/serving/local_files.ts");
      try {
        await moduleChange(urls, { since, signal });
      } catch (error) {
        if (signal.aborted) return undefined;
        throw error;
      }
    }
  }
}
